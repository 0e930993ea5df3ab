-- Takes what a call is expected to use from a budget: tokens of a minute, and requests and tokens of a day. The same as
-- core/pace/budget.ts, over all machines.
--
-- KEYS[1]  tokens: hash of call to tokens
-- KEYS[2]  ends: zset of call by when it counts no more; an open one counts until its machine is surely gone
-- KEYS[3]  day: hash of calls, tokens
--
-- ARGV[1]  call
-- ARGV[2]  tokens that it is expected to use
-- ARGV[3]  tokens a minute, or 0: unlimited
-- ARGV[4]  requests of the day, or 0
-- ARGV[5]  tokens of the day, or 0
-- ARGV[6]  date at which the day ends, in ms; 0: never
-- ARGV[7]  how long an open call counts, in ms
--
-- Returns {code, how long to wait in ms}
--   DRAWN
--   WAIT
--   USED    nothing is left of the day

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local call, wanted = ARGV[1], tonumber(ARGV[2])
local tpm, dayCalls, dayTokens = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('ZREM', KEYS[2], gone)
  redis.call('HDEL', KEYS[1], gone)
end
if redis.call('HEXISTS', KEYS[1], call) == 1 then return { 'DRAWN', 0 } end

local calls = tonumber(redis.call('HGET', KEYS[3], 'calls') or 0)
local tokens = tonumber(redis.call('HGET', KEYS[3], 'tokens') or 0)
local ends = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
local isOpen = #ends > 0 and tonumber(ends[#ends]) > now + 60000
if dayCalls > 0 and calls >= dayCalls then return { 'USED', 0 } end
if dayTokens > 0 then
  if tokens >= dayTokens then return { 'USED', 0 } end
  if tokens + math.min(wanted, dayTokens) > dayTokens then
    if isOpen then return { 'WAIT', 60000 } end
    return { 'USED', 0 }
  end
end
if tpm > 0 then
  local over = math.min(wanted, tpm) - tpm
  for _, used in ipairs(redis.call('HVALS', KEYS[1])) do over = over + tonumber(used) end
  if over > 0 then
    for index = 1, #ends, 2 do
      over = over - tonumber(redis.call('HGET', KEYS[1], ends[index]) or 0)
      if over <= 0 then return { 'WAIT', math.max(1, math.ceil(tonumber(ends[index + 1]) - now)) } end
    end
    return { 'WAIT', 60000 }
  end
end

if wanted > 0 then
  redis.call('HSET', KEYS[1], call, ARGV[2])
  redis.call('ZADD', KEYS[2], now + ARGV[7], call)
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
  redis.call('PEXPIRE', KEYS[2], ARGV[7])
end
redis.call('HINCRBY', KEYS[3], 'calls', 1)
redis.call('HINCRBYFLOAT', KEYS[3], 'tokens', ARGV[2])
if ARGV[6] ~= '0' then redis.call('PEXPIREAT', KEYS[3], ARGV[6]) end
return { 'DRAWN', 0 }

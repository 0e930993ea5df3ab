-- Settles what a call has used of a budget.
--
-- KEYS[1]  tokens: hash of call to tokens
-- KEYS[2]  ends: zset of call by when it counts no more
-- KEYS[3]  day: hash of calls, tokens
--
-- ARGV[1]  call
-- ARGV[2]  tokens that it used; empty: as many as were expected
--
-- Returns {code}
--   SETTLED

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expected = redis.call('HGET', KEYS[1], ARGV[1])
if not expected then return { 'SETTLED' } end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  if redis.call('EXISTS', KEYS[3]) == 1 then
    redis.call('HINCRBYFLOAT', KEYS[3], 'tokens', tonumber(ARGV[2]) - tonumber(expected))
  end
end
redis.call('ZADD', KEYS[2], now + 60000, ARGV[1])
return { 'SETTLED' }

-- Renews leases. One that the store knows no more is put back where its slots are free; places that are only kept
-- for somebody do not count against it.
--
-- KEYS[1]  epoch: hash of run, created, ready
-- KEYS[2]  tokens: hash of lease to "deadline token"
-- KEYS[3+] for each slot of each lease: its holders (zset of lease by deadline)
--
-- ARGV[1]  run id of the server that the broker knows
-- ARGV[2]  time to live, in ms
-- ARGV[3]  what the server's time should be by the broker's clock, in ms
-- ARGV[4+] for each lease: lease, token, number of its slots, the limit of each slot
--
-- Returns {code, ...}
--   RENEWED   now in ms, then the leases that are lost: others hold their slots, or they have another token
--   EPOCH     the server is another one or lost its data: open first
--   CLOCK     the server's clock was set: deadlines mean nothing; open first

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return { 'EPOCH' } end
local ahead = now - tonumber(ARGV[3])
if ahead > 10000 or ahead < -2000 then return { 'CLOCK' } end

local function isFree(holders, limit)
  local count = 0
  for _, holder in ipairs(redis.call('ZRANGEBYSCORE', holders, '(' .. now, '+inf')) do
    if string.sub(holder, 1, 1) ~= '~' then count = count + 1 end
  end
  return count < limit
end

local deadline, answer, key, arg = now + ARGV[2], { 'RENEWED', now }, 3, 4
while arg <= #ARGV do
  local lease, token, slots = ARGV[arg], ARGV[arg + 1], tonumber(ARGV[arg + 2])
  local known = redis.call('HGET', KEYS[2], lease)
  local own = not known or string.match(known, ' (.*)$') == token
  local kept = own
  for slot = 0, slots - 1 do
    local holders = KEYS[key + slot]
    kept = kept and (redis.call('ZSCORE', holders, lease) or isFree(holders, tonumber(ARGV[arg + 3 + slot])))
  end
  for slot = 0, slots - 1 do
    if kept then
      redis.call('ZADD', KEYS[key + slot], deadline, lease)
    elseif own then
      redis.call('ZREM', KEYS[key + slot], lease)
    end
  end
  if kept then
    redis.call('HSET', KEYS[2], lease, string.format('%d %s', deadline, token))
  else
    if own then redis.call('HDEL', KEYS[2], lease) end
    table.insert(answer, lease)
  end
  key, arg = key + slots, arg + 3 + slots
end
return answer

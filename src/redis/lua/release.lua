-- Gives the slots of a lease back, to the broker that has wanted each the longest: for a moment it alone may take
-- it. Without that a busy machine would hand its members on among its own tests, and another would wait for ever.
-- A broker that has no use for such a place passes it on in the same way: as lease "~broker", with an empty token.
--
-- KEYS[1]  tokens: hash of lease to "deadline token"
-- KEYS[2+] for each slot: its holders (zset of lease by deadline), its wants (zset of broker by since when)
--
-- ARGV[1]  lease
-- ARGV[2]  token
-- ARGV[3]  for how long a place is kept for a broker, in ms
-- ARGV[4]  channel for wake-ups
-- ARGV[5+] for each slot: its member
--
-- Returns {code}
--   RELEASED
--   STALE     the lease has another token, or none: whatever is there now is not the caller's

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HGET', KEYS[1], ARGV[1])
if (held and string.match(held, ' (.*)$') or '') ~= ARGV[2] then return { 'STALE' } end

redis.call('HDEL', KEYS[1], ARGV[1])
for slot = 1, (#KEYS - 1) / 2 do
  local holders, wants = KEYS[2 * slot], KEYS[1 + 2 * slot]
  if redis.call('ZREM', holders, ARGV[1]) == 1 then
    local heir = redis.call('ZRANGE', wants, 0, 0)[1]
    if heir then
      redis.call('ZREM', wants, heir)
      redis.call('ZADD', holders, now + ARGV[3], '~' .. heir)
      local message = { member = ARGV[4 + slot], broker = heir, forMs = tonumber(ARGV[3]) }
      redis.call('PUBLISH', ARGV[4], cjson.encode(message))
    end
  end
end
return { 'RELEASED' }

-- Takes one slot of every member for a lease, or none at all. A lease that has them keeps them, whichever broker
-- asks: the broker may be the successor of one that died.
--
-- KEYS[1]  epoch: hash of run, created, ready
-- KEYS[2]  tokens: hash of lease to "deadline token"
-- KEYS[3+] for each slot: its holders (zset of lease by deadline), its wants (zset of broker by since when)
--
-- ARGV[1]  run id of the server that the broker knows
-- ARGV[2]  broker
-- ARGV[3]  lease
-- ARGV[4]  token
-- ARGV[5]  time to live, in ms
-- ARGV[6]  1: somebody lives by this lease already, so it need not wait for the store to settle; else 0
-- ARGV[7]  what the server's time should be by the broker's clock, in ms
-- ARGV[8+] for each slot: its limit
--
-- Returns {code, ...}; times in ms
--   GRANTED
--   FULL      when they may be free, then the numbers of the full slots
--   SETTLING  when new claims are allowed
--   EPOCH     the server is another one or lost its data: open first
--   CLOCK     the server's clock was set: deadlines mean nothing; open first

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return { 'EPOCH' } end
-- A command may wait for some seconds on its way, and comes never before it was sent.
local ahead = now - tonumber(ARGV[7])
if ahead > 10000 or ahead < -2000 then return { 'CLOCK' } end

local lease, deadline, own = ARGV[3], now + ARGV[5], '~' .. ARGV[2]
local slots, full, freeAt, keeps = (#KEYS - 2) / 2, {}, now, true
for slot = 1, slots do
  local holders = KEYS[1 + 2 * slot]
  -- Of a time before the clock was set back: those that live have a new deadline within their time to live.
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', holders, now + 10 * ARGV[5], '+inf')) do
    redis.call('ZADD', holders, deadline, old)
  end
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', now)) do
    redis.call('ZREM', holders, gone)
    local token = redis.call('HGET', KEYS[2], gone)
    if token and tonumber(string.match(token, '^%d+')) <= now then redis.call('HDEL', KEYS[2], gone) end
  end
  local others = redis.call('ZCARD', holders)
  if redis.call('ZSCORE', holders, lease) then others = others - 1 else keeps = false end
  if redis.call('ZSCORE', holders, own) then others = others - 1 end
  if others >= tonumber(ARGV[7 + slot]) then
    table.insert(full, slot)
    freeAt = math.max(freeAt, tonumber(redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')[2] or now))
  end
end

if not keeps then
  local ready = tonumber(redis.call('HGET', KEYS[1], 'ready'))
  if now < ready and ARGV[6] ~= '1' then return { 'SETTLING', ready } end
  for _, slot in ipairs(full) do
    redis.call('ZADD', KEYS[2 + 2 * slot], 'NX', now, ARGV[2])
    redis.call('EXPIRE', KEYS[2 + 2 * slot], 3600)
  end
  if #full > 0 then return { 'FULL', freeAt, unpack(full) } end
end

for slot = 1, slots do
  local holders = KEYS[1 + 2 * slot]
  if redis.call('ZADD', holders, deadline, lease) == 1 then redis.call('ZREM', holders, own) end
end
redis.call('HSET', KEYS[2], lease, string.format('%d %s', deadline, ARGV[4]))
return { 'GRANTED' }

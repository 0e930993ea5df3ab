-- Gives a time step of one-time codes away: the first one of a span that nobody has had.
--
-- KEYS[1]  steps: zset of the steps that were given, by number. It does not expire: a step is never given twice.
--
-- ARGV[1]  the first step of the span
-- ARGV[2]  the last one
-- ARGV[3]  how many steps before the span are remembered
--
-- Returns {code, step}
--   STEP
--   NONE    all of the span were given

local first, last = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', first - tonumber(ARGV[3]))
for step = first, last do
  local name = string.format('%.0f', step)
  if redis.call('ZADD', KEYS[1], name, name) == 1 then return { 'STEP', step } end
end
return { 'NONE', 0 }

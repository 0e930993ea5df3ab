-- Reserves the next turn of a member: at most so many calls go at once, and never more in the time that they have.
-- The same as reservePermit in core/pace/pace.ts, over all machines; the time is a twentieth longer, 50 ms at most, since a
-- machine hears of its turn a little sooner or later than the next one does, and both must not meet in one window.
--
-- KEYS[1]  pace: list of the latest turns, "turn now" in ms each, the latest last; `now` is when it was reserved
--
-- ARGV[1]  how many calls may go at once
-- ARGV[2]  the time that they have, in ms
--
-- Returns {code, how long to wait in ms}
--   TURN

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local atOnce, window = tonumber(ARGV[1]), tonumber(ARGV[2])
window = window + math.min(50, window / 20)

local function read(entry)
  local turn, reserved = string.match(entry or '', '^(%S+) (%S+)$')
  return tonumber(turn), tonumber(reserved)
end

-- A clock that was set back must not make calls wait for the time that it lost.
local _, latest = read(redis.call('LINDEX', KEYS[1], -1))
if latest and latest > now then
  local turns = redis.call('LRANGE', KEYS[1], 0, -1)
  redis.call('DEL', KEYS[1])
  for _, entry in ipairs(turns) do
    local turn = read(entry)
    if turn then redis.call('RPUSH', KEYS[1], string.format('%.3f %.3f', turn - (latest - now), now)) end
  end
end

local nth = read(redis.call('LINDEX', KEYS[1], -atOnce))
local turn = nth and math.max(now, nth + window) or now
redis.call('RPUSH', KEYS[1], string.format('%.3f %.3f', turn, now))
redis.call('LTRIM', KEYS[1], -atOnce, -1)
redis.call('PEXPIRE', KEYS[1], math.ceil(turn - now + window))
return { 'TURN', math.ceil(turn - now) }

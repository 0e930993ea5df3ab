-- Reserves the next turn of a member at a rate: at most n = max(1, rpm / 60) calls in the time that n of them have.
-- The same window as reserveTurn in core/pace.ts, over all machines; a twentieth longer, 50 ms at most, since a machine
-- hears of its turn a little sooner or later than the next one does, and both must not meet in one window of the server.
--
-- KEYS[1]  pace: list of the latest n turns in ms, the latest last
--
-- ARGV[1]  calls per minute
--
-- Returns {code, how long to wait in ms}
--   TURN

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local rpm = tonumber(ARGV[1])
local atOnce = math.max(1, math.floor(rpm / 60))
local window = atOnce * 60000 / rpm
window = window + math.min(50, window / 20)
local length = redis.call('LLEN', KEYS[1])
local turn = now
if length >= atOnce then
  turn = math.max(now, redis.call('LINDEX', KEYS[1], length - atOnce) + window)
end
redis.call('RPUSH', KEYS[1], string.format('%.3f', turn))
redis.call('LTRIM', KEYS[1], -atOnce, -1)
redis.call('PEXPIRE', KEYS[1], math.ceil(turn - now + window))
return { 'TURN', math.ceil(turn - now) }

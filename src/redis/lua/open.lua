-- Opens the store for a broker: makes the epoch where there is none or another server's, and says when new claims
-- are allowed. Claims that somebody still holds may be missing in a store that lost its data: those who live put
-- them back, and nothing new is granted before they had the time.
--
-- KEYS[1]  epoch: hash of run, created, ready
--
-- ARGV[1]  run id of the server
-- ARGV[2]  run id that the broker saw last; empty: this is its first time
-- ARGV[3]  how long the server is up for certain, in ms
-- ARGV[4]  1: the server was a replica before, so its age says nothing; else 0
-- ARGV[5]  time to live of claims, in ms
-- ARGV[6]  how long a server that nobody knows must be up, in ms
-- ARGV[7]  channel that every open broker listens to
-- ARGV[8]  1: the server's clock was set, so that deadlines mean nothing; else 0
--
-- Returns {code, now in ms, when new claims are allowed in ms}
--   OPEN

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run, seen, promoted, ttl = ARGV[1], ARGV[2], ARGV[4] == '1', tonumber(ARGV[5])
local started = now - tonumber(ARGV[3])
local known = redis.call('HGET', KEYS[1], 'run')
local created, ready = now, now

if known == run then
  created = tonumber(redis.call('HGET', KEYS[1], 'created'))
  ready = tonumber(redis.call('HGET', KEYS[1], 'ready'))
  if seen ~= '' and seen ~= run then
    ready = math.max(ready, (promoted and created or math.min(created, started)) + ttl)
  end
elseif seen == run or (promoted and (known or seen ~= '')) then
  ready = now + ttl
elseif known or seen ~= '' then
  ready = started + ttl
elseif redis.call('PUBSUB', 'NUMSUB', ARGV[7])[2] > 0 then
  -- Brokers are at work here, so the epoch was there: somebody emptied the database.
  ready = now + ttl
else
  ready = started + tonumber(ARGV[6])
end

if ARGV[8] == '1' then ready = math.max(ready, now + ttl) end
redis.call('HSET', KEYS[1], 'run', run, 'created', created, 'ready', ready)
return { 'OPEN', now, ready }

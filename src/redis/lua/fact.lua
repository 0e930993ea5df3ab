-- Keeps a health fact where it says more than the one that is kept, and tells the other machines.
--
-- Quarantined and disabled stay until a later healthy fact; what is disabled by hand is not merely quarantined.
-- What an account was left dirty by ends with that lease's mark alone: another may have left it dirty again.
-- What a person reserved is so until its time, unless it is disabled, or a later healthy fact ends it; of two
-- reservations the later word holds.
-- Of two pauses that both still run the later deadline wins, and a healthy fact must be later than what it ends.
--
-- KEYS[1]  facts: hash of member to fact
--
-- ARGV[1]  member
-- ARGV[2]  fact as JSON: state, at, until (null or ms); times are the server's
-- ARGV[3]  broker
-- ARGV[4]  channel for facts
--
-- Returns {code}
--   STORED
--   KEPT      the one that was there says more

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stays = { quarantined = 1, disabled = 3 }

local function deadlineOf(fact)
  if type(fact['until']) == 'number' and fact['until'] > now then return fact['until'] end
end

local function rankOf(fact)
  if fact.state == 'reserved' then return deadlineOf(fact) and 2 or 0 end
  return stays[fact.state] or 0
end

local function saysMore(next, last)
  if last.state == 'dirty' and next.state == 'healthy' then return next.lease == last.lease end
  if next.state == 'healthy' then return next.at > last.at end
  local has, had = rankOf(next), rankOf(last)
  if next.state == 'reserved' and had == 2 then return next.at >= last.at end
  if had > 0 then return has >= had end
  if has > 0 then return last.state ~= 'healthy' or next.at >= last.at end
  if deadlineOf(last) then return (deadlineOf(next) or 0) > deadlineOf(last) end
  return next.at >= last.at
end

-- What is no fact, or has times that nobody can have set, counts for nothing.
local function factIn(text)
  local isJson, fact = pcall(cjson.decode, text or '')
  if not isJson or type(fact) ~= 'table' then return nil end
  if type(fact.state) ~= 'string' or type(fact.at) ~= 'number' or fact.at > now + 86400000 then return nil end
  if type(fact['until']) == 'number' and fact['until'] > now + 34560000000 then return nil end
  return fact
end

local last = factIn(redis.call('HGET', KEYS[1], ARGV[1]))
if last and not saysMore(cjson.decode(ARGV[2]), last) then return { 'KEPT' } end

redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PUBLISH', ARGV[4], '{"broker":' .. cjson.encode(ARGV[3]) .. ',"fact":' .. ARGV[2] .. '}')
return { 'STORED' }

/** Written by test/unit/redis/scripts.test.ts from the files in lua/, which hold the comments. */
export const LUA = {
  claim: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return { 'EPOCH' } end
local lease, deadline, own = ARGV[3], now + ARGV[5], '~' .. ARGV[2]
local slots, full, freeAt, keeps = (#KEYS - 2) / 2, {}, now, true
for slot = 1, slots do
  local holders = KEYS[1 + 2 * slot]
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', now)) do
    redis.call('ZREM', holders, gone)
    local token = redis.call('HGET', KEYS[2], gone)
    if token and tonumber(string.match(token, '^%d+')) <= now then redis.call('HDEL', KEYS[2], gone) end
  end
  local others = redis.call('ZCARD', holders)
  if redis.call('ZSCORE', holders, lease) then others = others - 1 else keeps = false end
  if redis.call('ZSCORE', holders, own) then others = others - 1 end
  if others >= tonumber(ARGV[6 + slot]) then
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
`,
  fact: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stays = { quarantined = 1, disabled = 2 }
local function deadlineOf(fact)
  if type(fact['until']) == 'number' and fact['until'] > now then return fact['until'] end
end
local function saysMore(next, last)
  if next.state == 'healthy' then return next.at > last.at end
  if stays[last.state] then return (stays[next.state] or 0) >= stays[last.state] end
  if stays[next.state] then return last.state ~= 'healthy' or next.at >= last.at end
  if deadlineOf(last) then return (deadlineOf(next) or 0) > deadlineOf(last) end
  return next.at >= last.at
end
local last = redis.call('HGET', KEYS[1], ARGV[1])
if last and not saysMore(cjson.decode(ARGV[2]), cjson.decode(last)) then return { 'KEPT' } end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PUBLISH', ARGV[4], '{"broker":' .. cjson.encode(ARGV[3]) .. ',"fact":' .. ARGV[2] .. '}')
return { 'STORED' }
`,
  open: `
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
  ready = now + ttl
else
  ready = started + tonumber(ARGV[6])
end
redis.call('HSET', KEYS[1], 'run', run, 'created', created, 'ready', ready)
return { 'OPEN', now, ready }
`,
  release: `
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
      local message = { subject = ARGV[4 + slot], broker = heir, forMs = tonumber(ARGV[3]) }
      redis.call('PUBLISH', ARGV[4], cjson.encode(message))
    end
  end
end
return { 'RELEASED' }
`,
  renew: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return { 'EPOCH' } end
local function isFree(holders, limit)
  local count = 0
  for _, holder in ipairs(redis.call('ZRANGEBYSCORE', holders, '(' .. now, '+inf')) do
    if string.sub(holder, 1, 1) ~= '~' then count = count + 1 end
  end
  return count < limit
end
local deadline, answer, key, arg = now + ARGV[2], { 'RENEWED' }, 3, 3
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
`,
  turn: `
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
`,
} as const;

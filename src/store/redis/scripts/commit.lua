-- KEYS: token, tables, sequence, then the hashes to write.
-- ARGV: our token, '1' to drop every table first, the prefix of all keys, our sequence number, the token and the number of
-- the last one acknowledged under this lease (0 for none); then for each hash the number of its rows
-- and, for each row, its field and its value ('' removes it).
local wrong = foreign(KEYS[1], 'string') or foreign(KEYS[2], 'set') or foreign(KEYS[3], 'string')
if wrong then return wrong end
local stored = stored_token(KEYS[1])
if not stored then return {'emptied'} end
if stored ~= ARGV[1] then return {'fenced', stored} end
for i = 4, #KEYS do
  wrong = foreign(KEYS[i], 'hash')
  if wrong then return wrong end
end
-- What was given up as lost may still sit in the socket of a connection long closed, and land after its successors.
local writer, last = string.match(redis.call('GET', KEYS[3]) or '', '^(%d+)/(%d+)$')
if writer == ARGV[1] and tonumber(last) > tonumber(ARGV[4]) then return {'late'} end
-- A server that came back older (its file lagged, or a replica took over) has lost what it acknowledged.
if ARGV[6] ~= '0' and ((writer ~= ARGV[1] and writer ~= ARGV[5]) or tonumber(last) < tonumber(ARGV[6])) then
  return {'emptied'}
end
redis.call('SET', KEYS[3], ARGV[1] .. '/' .. ARGV[4])

local prefix = ARGV[3]
if ARGV[2] == '1' then
  -- These keys are not among KEYS: they share the hash tag, hence the slot.
  for _, name in ipairs(redis.call('SMEMBERS', KEYS[2])) do
    redis.call('UNLINK', prefix .. name)
  end
  redis.call('UNLINK', KEYS[2])
  for i = 4, #KEYS do
    redis.call('UNLINK', KEYS[i])
  end
end

local at = 7
for i = 4, #KEYS do
  local key = KEYS[i]
  local rows = tonumber(ARGV[at])
  at = at + 1
  for _ = 1, rows do
    local value = ARGV[at + 1]
    if value == '' then
      redis.call('HDEL', key, ARGV[at])
    else
      redis.call('HSET', key, ARGV[at], value)
    end
    at = at + 2
  end
  local name = string.sub(key, #prefix + 1)
  if redis.call('EXISTS', key) == 1 then
    redis.call('SADD', KEYS[2], name)
  else
    redis.call('SREM', KEYS[2], name)
  end
end
return {'ok'}

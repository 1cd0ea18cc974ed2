-- KEYS: token, lease. ARGV: holder, address, milliseconds to live, our token ('' for none), what the one held afterwards is
-- above.
local wrong = foreign(KEYS[1], 'string') or foreign(KEYS[2], 'hash')
if wrong then return wrong end
local stored = stored_token(KEYS[1])
if stored and not string.match(stored, '^%d+$') then return {'foreign', KEYS[1]} end

local holder, address, ttl, ours, above = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local lease = redis.call('HMGET', KEYS[2], 'holder', 'address')
if ours ~= '' and not stored then return {'emptied'} end
if lease[1] and lease[1] ~= holder then
  return {'other', stored or '0', lease[1], lease[2] or ''}
end
if ours ~= '' and ours ~= stored then return {'fenced', stored} end

local base = stored or '0'
-- Decimal numbers compare by length, then by text.
local too_low = #base < #above or (#base == #above and base <= above)
if ours == '' or too_low then
  redis.call('SET', KEYS[1], too_low and above or base)
  redis.call('INCR', KEYS[1])
  stored = stored_token(KEYS[1])
end
redis.call('HSET', KEYS[2], 'holder', holder, 'address', address, 'token', stored)
redis.call('PEXPIRE', KEYS[2], ttl)
return {'held', stored}

-- KEYS: token, lease.
local wrong = foreign(KEYS[1], 'string') or foreign(KEYS[2], 'hash')
if wrong then return wrong end
local stored = stored_token(KEYS[1]) or '0'
local lease = redis.call('HMGET', KEYS[2], 'holder', 'address')
if not lease[1] then return {'free', stored} end
return {'other', stored, lease[1], lease[2] or ''}

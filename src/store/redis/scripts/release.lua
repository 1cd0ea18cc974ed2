-- KEYS: token, lease. ARGV: holder, token.
local wrong = foreign(KEYS[1], 'string') or foreign(KEYS[2], 'hash')
if wrong then return wrong end
if stored_token(KEYS[1]) == ARGV[2] and redis.call('HGET', KEYS[2], 'holder') == ARGV[1] then
  redis.call('UNLINK', KEYS[2])
end
return {'ok'}

-- Every script answers a list of strings whose first says what came of it.

-- An answer where a key is of another type than ours; nil where all is well.
local function foreign(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then
    return {'foreign', key}
  end
end

-- The stored token, or false. Tokens stay strings: Lua's numbers are exact only up to 2^53.
local function stored_token(key)
  return redis.call('GET', key)
end

-- Asks an open studio from a DAW whose scripts are Lua 5.3 or newer: JSON, base64, MIDI files, HTTP
-- by curl, which Windows 10, macOS and most Linux systems bring along. Nothing here calls a DAW.

local M = {}

-- -- JSON ------------------------------------------------------------------------------------

local ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}
local UNESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(letter)
    return ESCAPES[letter] or string.format("\\u%04x", letter:byte())
  end) .. '"'
end

-- A table with a first element, or an empty one, is an array; every other is an object.
function M.encode(value)
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if kind == "number" then
    local whole = math.tointeger(value)
    return whole and string.format("%d", whole) or string.format("%.17g", value)
  end
  if kind ~= "table" then return value == nil and "null" or tostring(value) end
  local parts = {}
  if value[1] ~= nil or next(value) == nil then
    for index, item in ipairs(value) do parts[index] = M.encode(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, item in pairs(value) do parts[#parts + 1] = quoted(key) .. ":" .. M.encode(item) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local decoded

local function skipped(text, at) return text:find("[^ \t\r\n]", at) or #text + 1 end

local function wrong(at) error("the studio's answer is no JSON at byte " .. at, 0) end

local function code_point(text, at)
  local code = tonumber(text:sub(at + 2, at + 5), 16) or wrong(at)
  if code < 0xD800 or code > 0xDBFF then return utf8.char(code), at + 6 end
  local low = tonumber(text:match("^\\u(%x%x%x%x)", at + 6) or "", 16) or wrong(at)
  return utf8.char(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), at + 12
end

local function string_at(text, at)
  local parts = {}
  at = at + 1
  while true do
    local stop = text:find('["\\]', at) or wrong(at)
    parts[#parts + 1] = text:sub(at, stop - 1)
    if text:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
    local letter = text:sub(stop + 1, stop + 1)
    if letter == "u" then
      parts[#parts + 1], at = code_point(text, stop)
    else
      parts[#parts + 1], at = UNESCAPES[letter] or wrong(stop), stop + 2
    end
  end
end

local function array_at(text, at)
  local found = {}
  at = skipped(text, at + 1)
  if text:sub(at, at) == "]" then return found, at + 1 end
  while true do
    found[#found + 1], at = decoded(text, at)
    at = skipped(text, at)
    local mark = text:sub(at, at)
    if mark == "]" then return found, at + 1 end
    if mark ~= "," then wrong(at) end
    at = at + 1
  end
end

local function object_at(text, at)
  local found, key = {}, nil
  at = skipped(text, at + 1)
  if text:sub(at, at) == "}" then return found, at + 1 end
  while true do
    at = skipped(text, at)
    if text:sub(at, at) ~= '"' then wrong(at) end
    key, at = string_at(text, at)
    at = skipped(text, at)
    if text:sub(at, at) ~= ":" then wrong(at) end
    found[key], at = decoded(text, at + 1)
    at = skipped(text, at)
    local mark = text:sub(at, at)
    if mark == "}" then return found, at + 1 end
    if mark ~= "," then wrong(at) end
    at = at + 1
  end
end

local WORDS = { ["true"] = true, ["false"] = false }

function decoded(text, at)
  at = skipped(text, at)
  local mark = text:sub(at, at)
  if mark == '"' then return string_at(text, at) end
  if mark == "{" then return object_at(text, at) end
  if mark == "[" then return array_at(text, at) end
  local word = text:match("^%a+", at)
  if word and WORDS[word] ~= nil then return WORDS[word], at + #word end
  if word == "null" then return nil, at + 4 end
  local number = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  if not number then wrong(at) end
  return math.tointeger(number) or tonumber(number), at + #number
end

-- `null` becomes nil: a field of an object that is not there.
function M.decode(text)
  local value, at = decoded(text, 1)
  if skipped(text, at) <= #text then wrong(at) end
  return value
end

-- -- base64 and MIDI files -------------------------------------------------------------------

local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

function M.base64(bytes)
  local parts = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local bits = (a << 16) | ((b or 0) << 8) | (c or 0)
    for shift = 18, 0, -6 do
      local index = (bits >> shift) & 63
      local is_there = shift >= 12 or (shift == 6 and b) or (shift == 0 and c)
      parts[#parts + 1] = is_there and LETTERS:sub(index + 1, index + 1) or "="
    end
  end
  return table.concat(parts)
end

local function variable(number)
  local bytes = string.char(number & 127)
  number = number >> 7
  while number > 0 do
    bytes = string.char((number & 127) | 128) .. bytes
    number = number >> 7
  end
  return bytes
end

-- Events {tick, order, bytes}: of one tick, ends before metas before programs before beginnings.
local function chunk(events)
  table.sort(events, function(one, other)
    if one[1] ~= other[1] then return one[1] < other[1] end
    if one[2] ~= other[2] then return one[2] < other[2] end
    return one[3] < other[3]
  end)
  local parts, last = {}, 0
  for _, event in ipairs(events) do
    parts[#parts + 1] = variable(event[1] - last) .. event[3]
    last = event[1]
  end
  parts[#parts + 1] = "\0\xFF\x2F\0"
  local body = table.concat(parts)
  return "MTrk" .. string.pack(">I4", #body) .. body
end

local function meta(kind, body) return "\xFF" .. string.char(kind) .. variable(#body) .. body end

local function conductor(score)
  local events = {}
  for _, tempo in ipairs(score.tempos) do
    events[#events + 1] = { tempo[1], 1, meta(0x51, string.pack(">I3", tempo[2])) }
  end
  for _, meter in ipairs(score.meters) do
    local power = math.floor(math.log(meter[3], 2) + 0.5)
    events[#events + 1] = { meter[1], 1, meta(0x58, string.char(meter[2], power, 24, 8)) }
  end
  return chunk(events)
end

local function track_chunk(track, channel)
  local events = { { 0, 1, meta(0x03, track.name) } }
  if not track.drums then
    events[2] = { 0, 2, string.char(0xC0 | channel, track.program) }
  end
  for _, note in ipairs(track.notes) do
    local onset, duration, pitch, velocity = table.unpack(note)
    events[#events + 1] = { onset, 3, string.char(0x90 | channel, pitch, velocity) }
    events[#events + 1] = { onset + math.max(duration, 1), 0, string.char(0x80 | channel, pitch, 64) }
  end
  return chunk(events)
end

M.MOST_TRACKS = 15 -- melodic ones: each has a channel of its own

-- The bytes of a score that is spelt as the studio's interface spells it.
function M.midi(score)
  local chunks, channel = { conductor(score) }, 0
  for _, track in ipairs(score.tracks) do
    if channel > 15 and not track.drums then
      error("more than " .. M.MOST_TRACKS .. " tracks with an instrument: choose fewer", 0)
    end
    chunks[#chunks + 1] = track_chunk(track, track.drums and 9 or channel)
    if not track.drums then channel = channel == 8 and 10 or channel + 1 end
  end
  return string.pack(">c4I4I2I2I2", "MThd", 6, 1, #chunks, score.ticks_per_quarter) .. table.concat(chunks)
end

-- -- the studio ------------------------------------------------------------------------------

local function contents(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read("a")
  file:close()
  return bytes
end

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

-- Where a studio that is open says how to reach it; `system` as REAPER's GetOS says it.
function M.session_path(system)
  local named, home = os.getenv("HOUSE_STUDIO"), os.getenv("HOME") or ""
  if named and named ~= "" then return named end
  if system:find("Win") then return os.getenv("LOCALAPPDATA") .. "\\music-house\\studio.json" end
  if system:find("OSX") or system:find("macOS") then
    return home .. "/Library/Application Support/music-house/studio.json"
  end
  local state = os.getenv("XDG_STATE_HOME")
  if not state or state == "" then state = home .. "/.local/state" end
  return state .. "/music-house/studio.json"
end

-- A value of a curl configuration file.
local function setting(name, value)
  return name .. ' = "' .. value:gsub('[\\"]', "\\%0") .. '"\n'
end

-- What asks the studio. `run` runs a command line and gives back what it printed, or nil.
-- The token never stands on a command line: it lies, like the session, in the user's own folder.
function M.client(system, run)
  local path = M.session_path(system)
  local text = contents(path)
  if not text then
    error("no studio is open (" .. path .. ")\n\nStart it: python scripts/studio.py", 0)
  end
  local session = M.decode(text)
  local curl = system:find("Win") and "curl.exe" or "curl"
  local asked, sent, got = path .. ".asked", path .. ".sent", path .. ".got"

  local function ask(place, body, method)
    local lines = setting("url", session.address .. "/api/v1" .. place)
      .. setting("header", "Authorization: Bearer " .. session.token)
      .. setting("output", got) .. setting("noproxy", "*") .. setting("write-out", "%{http_code}")
      .. setting("max-time", "60") .. "silent\n"
    if body then
      write(sent, M.encode(body))
      lines = lines .. setting("header", "Content-Type: application/json") .. setting("data-binary", "@" .. sent)
    end
    if method then lines = lines .. setting("request", method) end
    write(asked, lines)
    local printed = run(string.format('%s -q --config "%s"', curl, asked)) or ""
    local answer = contents(got)
    for _, file in ipairs({ asked, sent, got }) do os.remove(file) end
    local status = tonumber(printed:match("(%d%d%d)%s*$")) or 0
    if status == 0 then error("the studio does not answer: is it still open, and is curl installed?", 0) end
    if status ~= 200 then
      local is_json, said = pcall(M.decode, answer or "")
      local problem = is_json and type(said) == "table" and said.error or { what = "the studio answered " .. status }
      local mend = problem.mend and problem.mend ~= "" and ("\n\nTo mend it: " .. problem.mend) or ""
      error((problem.what or "") .. mend, 0)
    end
    return answer
  end

  local client = {}
  function client.ask(place, body, method) return M.decode(ask(place, body, method)) end

  -- Names of the pieces of a job that has ended, or an error in the studio's words.
  function client.names(job)
    local names = {}
    for line in ask("/jobs/" .. job .. "/events"):gmatch("data: ([^\n]+)") do
      local event = M.decode(line)
      if event.kind == "piece" then names[#names + 1] = event.name end
      if event.kind == "failed" then
        local mend = event.error.mend ~= "" and ("\n\nTo mend it: " .. event.error.mend) or ""
        error(event.error.what .. mend, 0)
      end
    end
    return names
  end
  return client
end

-- Bars {3, 4, 7} as the studio's cells say them: "bars 3-4 of 2, bar 7 of 2".
function M.cells(bars, slot)
  table.sort(bars)
  local parts, from = {}, 1
  for index = 1, #bars do
    if bars[index + 1] ~= bars[index] + 1 then
      local span = from == index and "bar " .. bars[from] or "bars " .. bars[from] .. "-" .. bars[index]
      parts[#parts + 1] = span .. " of " .. slot
      from = index + 1
    end
  end
  return table.concat(parts, ", ")
end

return M

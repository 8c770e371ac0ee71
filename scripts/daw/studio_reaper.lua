-- The studio in REAPER: rewrites, varies, continues and accompanies what is in the project.
--
-- Actions > Show action list > New action > Load ReaScript: this file, with studio.lua beside it.
-- Bars of the time selection are sent (without one, the bars of the selected items and eight on
-- either side). What "rewrite" changes are the selected items; answers are laid on new takes of them
-- (T switches takes), or on new items and tracks. One undo takes all of it back.

local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
local studio = dofile(folder .. "studio.lua")

local TICKS = 960
local AROUND = 8 -- bars that are sent on either side of what is selected
local LOOK = 0.3 -- seconds between two looks at the job
local TITLE = "Studio"
local VERBS = { rewrite = "infill", continue = "continue", add = "accompany", harmonise = "harmonise", generate = "generate" } -- as people say it, as the studio does

-- -- what is in the project -------------------------------------------------------------------

local function bar_at(time)
  local _, bar = reaper.TimeMap2_timeToBeats(0, time)
  return bar
end

-- Bars, counted from 0 in the project, as {qn, qn_end, numerator, denominator}.
local function bars_of(first, last)
  local bars = {}
  for bar = first, last do
    local _, from, to, numerator, denominator = reaper.TimeMap_GetMeasureInfo(0, bar)
    bars[#bars + 1] = { from, to, numerator, denominator }
  end
  return bars
end

local function span_of(item)
  local from = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
  return from, from + reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
end

local function selected_items()
  local items = {}
  for index = 0, reaper.CountSelectedMediaItems(0) - 1 do
    local item = reaper.GetSelectedMediaItem(0, index)
    local take = reaper.GetActiveTake(item)
    if take and reaper.TakeIsMIDI(take) then items[#items + 1] = item end
  end
  return items
end

local EPSILON = 1e-6 -- seconds: an item that ends with a bar is not in the next

-- First and last bar to send.
local function range(items)
  local from, to = reaper.GetSet_LoopTimeRange2(0, false, false, 0, 0, false)
  if to > from then return bar_at(from), bar_at(to - EPSILON) end
  if #items == 0 then error("select items, or a time range", 0) end
  for _, item in ipairs(items) do
    local begins, ends = span_of(item)
    from, to = (to == 0) and begins or math.min(from, begins), math.max(to, ends)
  end
  return math.max(bar_at(from) - AROUND, 0), bar_at(to - EPSILON) + AROUND
end

local function notes_of(item, start_qn, end_qn)
  local take, notes = reaper.GetActiveTake(item), {}
  if not take or not reaper.TakeIsMIDI(take) then return notes end
  local from, to = span_of(item)
  from, to = reaper.TimeMap2_timeToQN(0, from), reaper.TimeMap2_timeToQN(0, to)
  local _, count = reaper.MIDI_CountEvts(take)
  for index = 0, count - 1 do
    local _, _, is_muted, begins, ends, channel, pitch, velocity = reaper.MIDI_GetNote(take, index)
    local qn, qn_end = reaper.MIDI_GetProjQNFromPPQPos(take, begins), reaper.MIDI_GetProjQNFromPPQPos(take, ends)
    local is_here = qn >= math.max(from, start_qn) - 1e-6 and qn < math.min(to, end_qn) - 1e-6
    if is_here and not is_muted then
      local onset = math.max(math.floor((qn - start_qn) * TICKS + 0.5), 0)
      local length = math.floor((math.min(qn_end, to) - qn) * TICKS + 0.5)
      notes[#notes + 1] = { onset, math.max(length, 1), pitch, velocity, channel = channel }
    end
  end
  return notes
end

-- General MIDI program of a track: the first that a take says, else by the track's name.
local function program_of(track, name, instruments)
  for index = 0, reaper.CountTrackMediaItems(track) - 1 do
    local take = reaper.GetActiveTake(reaper.GetTrackMediaItem(track, index))
    if take and reaper.TakeIsMIDI(take) then
      local _, _, count = reaper.MIDI_CountEvts(take)
      for event = 0, count - 1 do
        local _, _, _, _, kind, _, value = reaper.MIDI_GetCC(take, event)
        if kind == 0xC0 then return value end
      end
    end
  end
  for index, instrument in ipairs(instruments) do
    if index <= 128 and name:lower():find(instrument, 1, true) then return index - 1 end
  end
  return 0
end

local function track_of(track, start_qn, end_qn, instruments)
  local notes, is_drums = {}, true
  for index = 0, reaper.CountTrackMediaItems(track) - 1 do
    for _, note in ipairs(notes_of(reaper.GetTrackMediaItem(track, index), start_qn, end_qn)) do
      notes[#notes + 1] = note
      is_drums = is_drums and note.channel == 9
    end
  end
  local _, name = reaper.GetTrackName(track)
  is_drums = is_drums or name:lower():find("drum", 1, true) ~= nil
  local program = is_drums and 0 or program_of(track, name, instruments)
  return { track = track, name = name, drums = is_drums, program = program, notes = notes }
end

-- The project's music from one bar to another, as the studio spells scores.
local function score_of(first, last, instruments)
  local bars = bars_of(first, last)
  local start_qn, end_qn = bars[1][1], bars[#bars][2]
  local score = { ticks_per_quarter = TICKS, tempos = {}, meters = {}, tracks = {}, bars = bars, start_qn = start_qn, end_qn = end_qn }
  local was_tempo, was_meter
  for _, bar in ipairs(bars) do
    local tick = math.floor((bar[1] - start_qn) * TICKS + 0.5)
    local seconds = reaper.TimeMap2_QNToTime(0, bar[2]) - reaper.TimeMap2_QNToTime(0, bar[1])
    local tempo, meter = math.floor(seconds / (bar[2] - bar[1]) * 1e6 + 0.5), bar[3] .. "/" .. bar[4]
    if tempo ~= was_tempo then score.tempos[#score.tempos + 1] = { tick, tempo } end
    if meter ~= was_meter then score.meters[#score.meters + 1] = { tick, bar[3], bar[4] } end
    was_tempo, was_meter = tempo, meter
  end
  for index = 0, reaper.CountTracks(0) - 1 do
    local track = track_of(reaper.GetTrack(0, index), start_qn, end_qn, instruments)
    if #track.notes > 0 then score.tracks[#score.tracks + 1] = track end
  end
  return score
end

-- Bars of the score, counted from 1, in which an item lies.
local function bars_under(item, score)
  local from, to = span_of(item)
  from, to = reaper.TimeMap2_timeToQN(0, from), reaper.TimeMap2_timeToQN(0, to)
  local bars = {}
  for index, bar in ipairs(score.bars) do
    if bar[1] < to - 1e-6 and bar[2] > from + 1e-6 then bars[#bars + 1] = index end
  end
  return bars
end

-- -- what is asked ------------------------------------------------------------------------------

local function slot_of(item, score)
  local track = reaper.GetMediaItemTrack(item)
  for slot, one in ipairs(score.tracks) do if one.track == track then return slot end end
  local _, name = reaper.GetTrackName(track)
  error(name .. " plays nothing in these bars: use add, with the name of an instrument", 0)
end

-- Cells under the selected items; {item, slot, bars} of each in `places`.
local function cells_under(items, score)
  local places, words = {}, {}
  for _, item in ipairs(items) do
    local place = { item = item, slot = slot_of(item, score), bars = bars_under(item, score) }
    if #place.bars > 0 then
      places[#places + 1] = place
      words[#words + 1] = studio.cells(place.bars, place.slot)
    end
  end
  if #places == 0 then error("select the items that are to be written anew", 0) end
  return places, table.concat(words, ", ")
end

local function dialogue()
  local fields = "What (rewrite continue add harmonise generate),Takes (1 to 4),Bars (continue generate),Instrument (add)"
  local is_said, said = reaper.GetUserInputs(TITLE, 4, fields, "rewrite,2,8,fingered bass")
  if not is_said then return nil end
  local what, takes, bars, instrument = said:match("^([^,]*),([^,]*),([^,]*),(.*)$")
  local word = (what or ""):lower():match("^%s*(.-)%s*$")
  local verb = VERBS[word]
  if not verb then error("what? rewrite, continue, add, harmonise or generate", 0) end
  return { verb = verb, word = word, takes = math.tointeger(tonumber(takes)) or 1, bars = math.tointeger(tonumber(bars)) or 8, instrument = instrument }
end

-- The request's body, and where its answer goes.
local function request(choice, score, items)
  local body = { n = choice.takes, midi = studio.base64(studio.midi(score)), file_name = "reaper.mid" }
  local places
  if choice.verb == "infill" then
    places, body.cells = cells_under(items, score)
  elseif choice.verb == "continue" then
    body.bars = choice.bars
  elseif choice.verb == "accompany" then
    body.add = { choice.instrument }
  end
  return body, places
end

-- -- what is laid into the project ------------------------------------------------------------

local DUPLICATE_TAKE, UNPOOL_TAKE = 40639, 41613 -- commands on the selected items

local function select_only(item)
  reaper.SelectAllMediaItems(0, false)
  reaper.SetMediaItemSelected(item, true)
end

-- A copy of an item's active take, which shares no notes with it and becomes the active one.
local function new_take(item, name)
  select_only(item)
  reaper.Main_OnCommand(DUPLICATE_TAKE, 0)
  reaper.Main_OnCommand(UNPOOL_TAKE, 0)
  local take = reaper.GetActiveTake(item)
  reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", name, true)
  return take
end

local function is_between(qn, spans)
  for _, span in ipairs(spans) do
    if qn >= span[1] - 1e-6 and qn < span[2] - 1e-6 then return true end
  end
  return false
end

local function clear(take, spans)
  local _, count = reaper.MIDI_CountEvts(take)
  for index = count - 1, 0, -1 do
    local _, _, _, begins = reaper.MIDI_GetNote(take, index)
    if is_between(reaper.MIDI_GetProjQNFromPPQPos(take, begins), spans) then reaper.MIDI_DeleteNote(take, index) end
  end
end

-- Notes of an answer's track that begin in some spans of quarters.
local function insert(take, track, found, start_qn, spans)
  local channel = track.drums and 9 or 0
  for _, note in ipairs(track.notes) do
    local onset, duration, pitch, velocity = table.unpack(note)
    local qn = start_qn + onset / found.ticks_per_quarter
    if is_between(qn, spans) then
      local qn_end = qn + duration / found.ticks_per_quarter
      local from, to = reaper.MIDI_GetPPQPosFromProjQN(take, qn), reaper.MIDI_GetPPQPosFromProjQN(take, qn_end)
      reaper.MIDI_InsertNote(take, false, false, from, to, channel, pitch, velocity, true)
    end
  end
  reaper.MIDI_Sort(take)
end

local function spans_of(place, score)
  local spans = {}
  for _, bar in ipairs(place.bars) do spans[#spans + 1] = score.bars[bar] end
  return spans
end

local function lay_on_takes(pieces, score, places)
  for _, piece in ipairs(pieces) do
    for _, place in ipairs(places) do
      local spans = spans_of(place, score)
      local take = new_take(place.item, piece.name)
      clear(take, spans)
      insert(take, piece.score.tracks[place.slot], piece.score, score.start_qn, spans)
    end
  end
end

-- One track of every answer, on takes of one new item.
local function lay_on_item(track, slot, pieces, start_qn, from_qn, to_qn)
  local from, to = reaper.TimeMap2_QNToTime(0, from_qn), reaper.TimeMap2_QNToTime(0, to_qn)
  local item = reaper.CreateNewMIDIItemInProj(track, from, to, false)
  local spans = { { from_qn, to_qn } }
  for index, piece in ipairs(pieces) do
    local take = index == 1 and reaper.GetActiveTake(item) or new_take(item, piece.name)
    local answer = piece.score.tracks[slot]
    if index == 1 then
      reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", piece.name, true)
      if not answer.drums then reaper.MIDI_InsertCC(take, false, false, 0, 0xC0, 0, answer.program, 0) end
    end
    clear(take, spans)
    insert(take, answer, piece.score, start_qn, spans)
  end
end

local function new_track(answer)
  local index = reaper.CountTracks(0)
  reaper.InsertTrackAtIndex(index, true)
  local track = reaper.GetTrack(0, index)
  local name = answer.name ~= "" and answer.name or answer.instrument
  reaper.GetSetMediaTrackInfo_String(track, "P_NAME", name, true)
  return track
end

local function end_qn(piece, start_qn)
  return start_qn + piece.score.bars[#piece.score.bars] / piece.score.ticks_per_quarter
end

local function lay_in_items(pieces, score, is_more)
  for slot, answer in ipairs(pieces[1].score.tracks) do
    local given = score.tracks[slot]
    if is_more or not given then
      local track = given and given.track or new_track(answer)
      local from = is_more and score.end_qn or score.start_qn
      lay_on_item(track, slot, pieces, score.start_qn, from, end_qn(pieces[1], score.start_qn))
    end
  end
end

-- Everything in one step of undo; what is selected stays so.
local function lay(pieces, score, places, word)
  local items = {}
  for index = 0, reaper.CountSelectedMediaItems(0) - 1 do items[index + 1] = reaper.GetSelectedMediaItem(0, index) end
  reaper.Undo_BeginBlock2(0)
  reaper.PreventUIRefresh(1)
  local is_done, problem = pcall(function()
    if places then lay_on_takes(pieces, score, places) else lay_in_items(pieces, score, word == "continue") end
  end)
  reaper.SelectAllMediaItems(0, false)
  for _, item in ipairs(items) do reaper.SetMediaItemSelected(item, true) end
  reaper.PreventUIRefresh(-1)
  reaper.UpdateArrange()
  reaper.Undo_EndBlock2(0, TITLE .. ": " .. word, -1)
  if not is_done then error(problem, 0) end
end

-- -- one request --------------------------------------------------------------------------------

local function run(command)
  local printed = reaper.ExecProcess(command, 70000)
  return printed and printed:match("^%d+\r?\n(.*)$") -- the first line is the exit status
end

local function guarded(action)
  return function()
    local is_done, problem = pcall(action)
    if not is_done then
      reaper.Help_Set("", false)
      reaper.ShowMessageBox(tostring(problem), TITLE, 0)
    end
  end
end

local function empty_score(first, bars)
  local found = bars_of(first, first + bars - 1)
  return { tracks = {}, bars = found, start_qn = found[1][1], end_qn = found[#found][2] }
end

-- Asked for from nothing: so many bars from the cursor on, in the tempo and meter that are there.
local function generated(choice)
  local first = bar_at(reaper.GetCursorPosition())
  local score = empty_score(first, choice.bars)
  local bar = score.bars[1]
  local seconds = reaper.TimeMap2_QNToTime(0, bar[2]) - reaper.TimeMap2_QNToTime(0, bar[1])
  local tempo = math.floor(60 * (bar[2] - bar[1]) / seconds + 0.5)
  return { n = 1, bars = choice.bars, tempo = tempo, time_signature = bar[3] .. "/" .. bar[4] }, score
end

local function await(client, job, score, places, word)
  local asked_at = 0
  local look
  look = guarded(function()
    if reaper.time_precise() - asked_at < LOOK then return reaper.defer(look) end
    asked_at = reaper.time_precise()
    local facts = client.ask("/jobs/" .. job)
    if facts.state == "waiting" or facts.state == "writing" then
      reaper.Help_Set(TITLE .. ": " .. facts.state .. "…", false)
      return reaper.defer(look)
    end
    reaper.Help_Set("", false)
    local pieces = {}
    for index, name in ipairs(client.names(job)) do
      local place = "/pieces/" .. name:gsub("[^%w._-]", function(letter) return string.format("%%%02X", letter:byte()) end)
      pieces[index] = client.ask(place)
    end
    if #pieces > 0 then lay(pieces, score, places, word) end
  end)
  look()
end

guarded(function()
  local client = studio.client(reaper.GetOS(), run)
  local choice = dialogue()
  if not choice then return end
  local body, score, places
  if choice.verb == "generate" then
    body, score = generated(choice)
  else
    local items = selected_items()
    local first, last = range(items)
    score = score_of(first, last, client.ask("/words").instruments)
    if #score.tracks == 0 then error("no MIDI notes are in these bars", 0) end
    body, places = request(choice, score, items)
  end
  await(client, client.ask("/" .. choice.verb, body).id, score, places, choice.word)
end)()

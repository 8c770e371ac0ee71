-- REAPER as the studio's script sees it: a project at 120 quarters a minute in 4/4, its tracks,
-- items and takes, an undo history. Only what the script calls; whatever else it calls is nil.

local project = { tracks = {}, selected = {}, undo = {}, open_blocks = 0, messages = {}, time_range = { 0, 0 }, deferred = {}, answers = "", cursor = 0 }
local PPQ = 960
local reaper = {}

local function new_take(notes) return { notes = notes or {}, ccs = {}, name = "", is_midi = true } end

function project.add_track(name)
  local track = { name = name, items = {} }
  table.insert(project.tracks, track)
  return track
end

-- Notes are {qn from the item's beginning, length in quarters, pitch, velocity, channel}.
function project.add_item(track, from_qn, length_qn, notes)
  local take = new_take()
  for _, note in ipairs(notes) do
    table.insert(take.notes, { note[1] * PPQ, (note[1] + note[2]) * PPQ, note[5] or 0, note[3], note[4] })
  end
  local item = { track = track, from = from_qn / 2, length = length_qn / 2, takes = { take }, active = 1 }
  table.insert(track.items, item)
  return item
end

local function item_of(take)
  for _, track in ipairs(project.tracks) do
    for _, item in ipairs(track.items) do
      for _, one in ipairs(item.takes) do if one == take then return item end end
    end
  end
end

function reaper.get_action_context() return true, project.script end
function reaper.GetOS() return project.system or "Other" end
function reaper.ExecProcess(command) return "0\n" .. project.execute(command) end
function reaper.ShowMessageBox(text) table.insert(project.messages, text) end
function reaper.Help_Set() end
function reaper.time_precise() project.now = (project.now or 0) + 1; return project.now end
function reaper.defer(action) table.insert(project.deferred, action) end
function reaper.GetUserInputs(_, _, _, usual) project.usual = usual; return project.answers ~= nil, project.answers end
function reaper.TimeMap2_timeToBeats(_, time) return 0, math.floor(time / 2 + 1e-9) end
function reaper.TimeMap_GetMeasureInfo(_, bar) return bar * 2, bar * 4, bar * 4 + 4, 4, 4, 120 end
function reaper.TimeMap2_timeToQN(_, time) return time * 2 end
function reaper.TimeMap2_QNToTime(_, qn) return qn / 2 end
function reaper.GetCursorPosition() return project.cursor end
function reaper.GetSet_LoopTimeRange2() return table.unpack(project.time_range) end
function reaper.CountSelectedMediaItems() return #project.selected end
function reaper.GetSelectedMediaItem(_, index) return project.selected[index + 1] end
function reaper.SelectAllMediaItems() project.selected = {} end
function reaper.SetMediaItemSelected(item) table.insert(project.selected, item) end
function reaper.GetMediaItemInfo_Value(item, name) return name == "D_POSITION" and item.from or item.length end
function reaper.GetMediaItemTrack(item) return item.track end
function reaper.GetActiveTake(item) return item.takes[item.active] end
function reaper.TakeIsMIDI(take) return take.is_midi end
function reaper.CountTracks() return #project.tracks end
function reaper.GetTrack(_, index) return project.tracks[index + 1] end
function reaper.GetTrackName(track) return true, track.name end
function reaper.CountTrackMediaItems(track) return #track.items end
function reaper.GetTrackMediaItem(track, index) return track.items[index + 1] end
function reaper.GetSetMediaTrackInfo_String(track, _, name) track.name = name end
function reaper.GetSetMediaItemTakeInfo_String(take, _, name) take.name = name end
function reaper.MIDI_CountEvts(take) return true, #take.notes, #take.ccs, 0 end
function reaper.MIDI_GetNote(take, index)
  local note = take.notes[index + 1]
  return true, false, note.muted or false, note[1], note[2], note[3], note[4], note[5]
end
function reaper.MIDI_GetCC(take, index) return true, false, false, 0, table.unpack(take.ccs[index + 1]) end
function reaper.MIDI_DeleteNote(take, index) assert(project.open_blocks == 1); table.remove(take.notes, index + 1) end
function reaper.MIDI_InsertNote(take, _, _, from, to, channel, pitch, velocity)
  assert(project.open_blocks == 1)
  table.insert(take.notes, { math.floor(from + 0.5), math.floor(to + 0.5), channel, pitch, velocity })
end
function reaper.MIDI_InsertCC(take, _, _, _, kind, channel, value) table.insert(take.ccs, { kind, channel, value }) end
function reaper.MIDI_Sort(take) table.sort(take.notes, function(a, b) return a[1] < b[1] end) end
function reaper.MIDI_GetProjQNFromPPQPos(take, ppq) return item_of(take).from * 2 + ppq / PPQ end
function reaper.MIDI_GetPPQPosFromProjQN(take, qn) return (qn - item_of(take).from * 2) * PPQ end
function reaper.InsertTrackAtIndex(index) assert(project.open_blocks == 1); table.insert(project.tracks, index + 1, { name = "", items = {} }) end
function reaper.CreateNewMIDIItemInProj(track, from, to)
  assert(project.open_blocks == 1)
  local item = { track = track, from = from, length = to - from, takes = { new_take() }, active = 1 }
  table.insert(track.items, item)
  return item
end

-- Takes of one file of notes share them until they are made their own.
function reaper.Main_OnCommand(command)
  assert(project.open_blocks == 1)
  local item = project.selected[1]
  if command == 40639 then
    local was = item.takes[item.active]
    table.insert(item.takes, { notes = was.notes, ccs = was.ccs, name = was.name, is_midi = true })
    item.active = #item.takes
  elseif command == 41613 then
    local take, own = item.takes[item.active], {}
    for index, note in ipairs(take.notes) do own[index] = { table.unpack(note) } end
    take.notes, take.ccs = own, { table.unpack(take.ccs) }
  else
    error("no command " .. command)
  end
end
function reaper.Undo_BeginBlock2() project.open_blocks = project.open_blocks + 1 end
function reaper.Undo_EndBlock2(_, name) project.open_blocks = project.open_blocks - 1; table.insert(project.undo, name) end
function reaper.PreventUIRefresh() end
function reaper.UpdateArrange() end

-- Runs the script to its end, as REAPER does: once, and then whatever it put off.
function project.run()
  _G.reaper = reaper
  dofile(project.script)
  while #project.deferred > 0 do
    project.pause()
    table.remove(project.deferred, 1)()
  end
end

return project

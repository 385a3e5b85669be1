-- What a draw on a shared counter does, in Redis: line for line what counters_rules.py does. Numbers come as text, so that
-- they are exact. One key a counter; it ends by itself when nobody gains by it: full again, another day, nothing held.
local key, holder = KEYS[1], ARGV[1]
local n = {}
for i = 2, #ARGV do n[i - 1] = tonumber(ARGV[i]) end
local per_second, burst, units_a_day, extras_a_day, slots = n[1], n[2], n[3], n[4], n[5]
local left_units, left_extras, left_slots, back_units, back_extras = n[6], n[7], n[8], n[9], n[10]
local least_units, least_extras, least_slots = n[11], n[12], n[13]
local most_units, most_extras, most_slots = n[14], n[15], n[16]
local number, ends, lease, margin, under_way, now, wall = n[17], n[18], n[19], n[20], n[21], n[22], n[23]
if now == nil then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
  wall = now
end
local day = math.floor(wall / 86400)
local day_ends = (day + 1) * 86400 - wall

local found = redis.call('GET', key)
local t -- tokens, at, day, units, extras, holds of {holder, units, extras, slots, ends, slots_end, number}
if found then t = cmsgpack.unpack(found) else t = {burst, now, day, 0, 0, {}} end

if day > t[3] then
  t[3], t[4], t[5] = day, 0, 0
  for _, one in ipairs(t[6]) do one[2], one[3] = 0, 0 end
end
local held = 0
for _, one in ipairs(t[6]) do held = held + one[2] end
local came = math.max(0, now - t[2]) * per_second
t[1] = math.max(0, math.min(burst - held, t[1] + came))
t[2] = now
local holds, hold, busy = {}, nil, 0
for _, one in ipairs(t[6]) do
  if one[5] <= now then one[2], one[3] = 0, 0 end
  if one[6] > now and one[2] + one[3] + one[4] > 0 then
    if one[1] == holder then
      hold = one
    else
      holds[#holds + 1] = one
      busy = busy + one[4]
    end
  end
end

local function answer(units, extras, more, kept, short, wait)
  if hold[2] + hold[3] + hold[4] > 0 then holds[#holds + 1] = hold end
  t[6] = holds
  local stays = math.max((t[3] + 1) * 86400 - wall, (burst - t[1]) / per_second, lease + under_way)
  if ends > 0 then stays = math.min(stays, math.max(1, ends - wall)) end
  redis.call('SET', key, cmsgpack.pack(t), 'EX', math.ceil(stays) + 60)
  return {units, extras, more, kept and 1 or 0, math.floor(t[1]), math.max(0, units_a_day - t[4]),
    math.max(0, extras_a_day - t[5]), string.format('%.17g', day_ends), short, string.format('%.17g', wait)}
end

if hold == nil then hold = {holder, 0, 0, 0, 0, 0, 0} end
if hold[7] > number then -- it was overtaken, and nobody waits for an answer
  return answer(0, 0, 0, false, '', 0)
end
local kept = hold[2] >= left_units + back_units and hold[3] >= left_extras + back_extras
if kept then
  t[1], t[4], t[5] = t[1] + back_units, t[4] - back_units, t[5] - back_extras
  hold[2], hold[3] = left_units, left_extras
else
  hold[2], hold[3] = 0, 0
end
hold[4] = left_slots

local there_units = math.max(0, math.min(math.floor(t[1]), units_a_day - t[4]))
local there_extras = math.max(0, extras_a_day - t[5])
local there_slots = math.max(0, slots - busy - left_slots)
local short, wait = '', 0
if least_slots > there_slots then short, wait = 'slots', 1
elseif least_units > units_a_day - t[4] then short, wait = 'day', day_ends
elseif least_extras > there_extras then short, wait = 'extras', day_ends
elseif least_units > there_units then short, wait = 'rate', math.max(0.001, (least_units - t[1]) / per_second)
end
local units, extras, more = math.min(most_units, there_units), math.min(most_extras, there_extras), math.min(most_slots, there_slots)
t[1], t[4], t[5] = t[1] - units, t[4] + units, t[5] + extras
hold[2], hold[3], hold[4] = hold[2] + units, hold[3] + extras, hold[4] + more
hold[5], hold[6], hold[7] = now + lease + margin, now + lease + under_way, number
return answer(units, extras, more, kept, short, wait)

-- XCCOS for Wireshark and tshark: Group Chat and Persistent Chat messages inside SIP.
--
-- Part of xccos-analyzer (MIT licence); `xccos wireshark-plugin -o xccos.lua` writes it. Put it where
-- Wireshark looks for personal plug-ins (Help > About > Folders), or try it once:
--
--     tshark -X lua_script:xccos.lua -r capture.pcap -Y 'xccos.code >= 400'
--
-- The rules that matter: a body is claimed only when its root element is `xccos`, whatever its
-- Content-Type; any other body goes to the dissector that was there before. Nothing that a body
-- holds may stop the dissection: every loop is linear in the length of the body, and all that is
-- kept or shown is bounded by the constants below.

-- Limits, the same as those of xccos-analyzer itself.
local MAX_BODY = 4 * 1024 * 1024 -- bytes; bodies of servers stay below 64 KiB
local MAX_DEPTH = 64 -- levels of elements; known documents have 6
local MAX_ELEMENTS = 50000 -- a reply with 1,000 rooms has about 10,000
local MAX_ATTRIBUTES = 200 -- of one element; known ones have 12 at most
local MAX_ITEMS = 10000 -- children of one envelope
-- Limits of what is shown and remembered.
local MAX_LINES = 20000 -- lines of one tree; Wireshark itself gives up at a million a frame
local MAX_LABEL = 200 -- bytes of a text in a heading; Wireshark cuts lines at 240
local MAX_TOLD = 6 -- different items in the Info column
local MAX_TRIES = 64 -- commands with one envid and seqid on one connection
local MAX_REPLIES = 32 -- replies to one command; a join is answered by a few
local MAX_REMEMBERED = 1000000 -- commands of a capture that are remembered for their replies

-- All evidence has text/plain; the others are what a gateway or a proxy might make of it.
local MEDIA_TYPES = {
  "text/plain", "text/xml", "text/html", "application/xml", "application/octet-stream",
}

local byte, char, find, lower = string.byte, string.char, string.find, string.lower
local gsub, match, sub, format = string.gsub, string.match, string.sub, string.format
local concat, floor = table.concat, math.floor

local xccos = Proto("xccos", "XCCOS (Group Chat)")

local f = {
  ver = ProtoField.string("xccos.ver", "Version"),
  envid = ProtoField.string("xccos.envid", "Envelope id"),
  element = ProtoField.string("xccos.element", "Element"),
  id = ProtoField.string("xccos.id", "Id"),
  name = ProtoField.string("xccos.name", "Name"),
  seqid = ProtoField.string("xccos.seqid", "Sequence id"),
  command_seqid = ProtoField.string("xccos.commandid.seqid", "Answers sequence id"),
  command_envid = ProtoField.string("xccos.commandid.envid", "Answers envelope id"),
  code = ProtoField.uint32("xccos.code", "Result code", base.DEC),
  odd_code = ProtoField.string("xccos.code.text", "Result code that is no number"),
  text = ProtoField.string("xccos.text", "Text"),
  chat = ProtoField.string("xccos.chat", "Chat text"),
  author = ProtoField.string("xccos.author", "Author"),
  ts = ProtoField.string("xccos.ts", "Time stamp"),
  room = ProtoField.string("xccos.room", "Room"),
  room_name = ProtoField.string("xccos.room.name", "Room name"),
  failed_room = ProtoField.string("xccos.room.failed", "Room that could not be joined"),
  user = ProtoField.string("xccos.user", "User"),
  node = ProtoField.string("xccos.node", "Element inside"),
  attribute = ProtoField.string("xccos.attribute", "Attribute"),
  content = ProtoField.string("xccos.content", "Content"),
  request_in = ProtoField.framenum("xccos.request_in", "Command in", base.NONE, frametype.REQUEST),
  response_in = ProtoField.framenum("xccos.response_in", "Reply in", base.NONE, frametype.RESPONSE),
  response_time = ProtoField.relative_time("xccos.response_time", "Time since the command"),
}
do
  local list = {}
  for _, one in pairs(f) do
    list[#list + 1] = one
  end
  xccos.fields = list
end

local e = {
  malformed = ProtoExpert.new("xccos.malformed", "XCCOS cannot be read",
    expert.group.MALFORMED, expert.severity.ERROR),
  refused = ProtoExpert.new("xccos.refused", "The command was refused",
    expert.group.RESPONSE_CODE, expert.severity.WARN),
  failed = ProtoExpert.new("xccos.failed", "The command failed in the service",
    expert.group.RESPONSE_CODE, expert.severity.ERROR),
  room = ProtoExpert.new("xccos.not_joined", "A room could not be joined",
    expert.group.RESPONSE_CODE, expert.severity.WARN),
  cut = ProtoExpert.new("xccos.cut", "Not all of it is shown",
    expert.group.UNDECODED, expert.severity.NOTE),
}
xccos.experts = { e.malformed, e.refused, e.failed, e.room, e.cut }

local sip_call_id = Field.new("sip.Call-ID")
local sip_content_type = Field.new("sip.Content-Type")

-- Text ------------------------------------------------------------------------------------------

-- Return a text as one safe line for a heading: fields are escaped by Wireshark, headings are not.
local function label(text)
  if #text > MAX_LABEL then
    local cut = MAX_LABEL
    while cut > 0 and byte(text, cut + 1) >= 0x80 and byte(text, cut + 1) < 0xC0 do
      cut = cut - 1
    end
    text = sub(text, 1, cut) .. "..."
  end
  text = gsub(text, "[\1-\31\127]", function(one)
    return format("\\x%02x", byte(one))
  end)
  -- C1 controls, directional marks and line separators, as UTF-8: they steer terminals and reorder
  -- lines.
  text = gsub(text, "\194[\128-\159]", "?")
  text = gsub(text, "\226\128[\142\143\168-\174]", "?")
  return (gsub(text, "\226\129[\166-\169]", "?"))
end

-- Return a character as UTF-8, or nil where XML 1.0 (section 2.2) has no such character.
local function utf8_of(code)
  if code < 0x20 and code ~= 9 and code ~= 10 and code ~= 13 then
    return nil
  elseif code < 0x80 then
    return char(code)
  elseif code < 0x800 then
    return char(0xC0 + floor(code / 0x40), 0x80 + code % 0x40)
  elseif code < 0x10000 then
    if (code >= 0xD800 and code < 0xE000) or code >= 0xFFFE then
      return nil
    end
    return char(0xE0 + floor(code / 0x1000), 0x80 + floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
  elseif code < 0x110000 then
    return char(0xF0 + floor(code / 0x40000), 0x80 + floor(code / 0x1000) % 0x40,
      0x80 + floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
  end
  return nil
end

-- Return the place of the first byte that is not UTF-8 (RFC 3629) of a character of XML, or nil.
local function bad_byte(text)
  local at = find(text, "\0", 1, true) or find(text, "[\1-\8\11\12\14-\31]")
  if at then
    return at
  end
  at = find(text, "[\128-\255]")
  while at do
    local first = byte(text, at)
    local size = 2
    if first < 0xC2 or first > 0xF4 then
      return at
    elseif first >= 0xF0 then
      size = 4
    elseif first >= 0xE0 then
      size = 3
    end
    local second = byte(text, at + 1) or 0
    local low, high = 0x80, 0xBF
    if first == 0xE0 then low = 0xA0 end
    if first == 0xED then high = 0x9F end
    if first == 0xF0 then low = 0x90 end
    if first == 0xF4 then high = 0x8F end
    if second < low or second > high then
      return at
    end
    for k = at + 2, at + size - 1 do
      local more = byte(text, k) or 0
      if more < 0x80 or more > 0xBF then
        return at
      end
    end
    if first == 0xEF and second == 0xBF and byte(text, at + 2) >= 0xBE then
      return at
    end
    at = find(text, "[\128-\255]", at + size)
  end
  return nil
end

-- Return the order of bytes of a body of 16-bit units (by its mark, or by what it begins with).
local function wide(raw)
  if find(raw, "^\255\254") and sub(raw, 3, 4) ~= "\0\0" then
    return "little"
  elseif find(raw, "^\254\255") then
    return "big"
  end
  local at, size = 1, #raw
  while at < size do
    local one, two = byte(raw, at, at + 1)
    if one == 0x3C and two == 0 then
      return byte(raw, at + 2) ~= 0 and "little" or nil
    elseif one == 0 and two == 0x3C then
      return "big"
    end
    local blank = one == 0 and two or one
    if (one ~= 0 and two ~= 0) or not (blank == 32 or blank == 9 or blank == 10 or blank == 13) then
      return nil
    end
    at = at + 2
  end
  return nil
end

-- Return a body of 16-bit units as UTF-8, without its mark; nil where it is none. Of its beginning
-- (`limit` in bytes) what is no character is replaced: only the root element matters there.
local function narrowed(raw, order, limit)
  local parts, at, size = {}, 1, math.min(#raw, limit or #raw)
  size = size - size % 2
  while at < size do
    local one, two = byte(raw, at, at + 1)
    local unit = order == "little" and two * 256 + one or one * 256 + two
    at = at + 2
    if unit >= 0xD800 and unit < 0xDC00 and at < size then
      local three, four = byte(raw, at, at + 1)
      local low = order == "little" and four * 256 + three or three * 256 + four
      if low >= 0xDC00 and low < 0xE000 then
        unit = 0x10000 + (unit - 0xD800) * 0x400 + (low - 0xDC00)
        at = at + 2
      end
    end
    local found = utf8_of(unit)
    if unit == 0xFEFF and #parts == 0 then
      found = ""
    elseif found == nil then
      if limit == nil then
        return nil
      end
      found = "?"
    end
    parts[#parts + 1] = found
  end
  return concat(parts)
end

local UTF8_NAMES = { ["utf-8"] = true, utf8 = true, ["us-ascii"] = true, ascii = true }
local WIDE_NAMES = {
  ["utf-16"] = true, ["utf-16le"] = true, ["utf-16be"] = true, unicode = true,
  ["ucs-2"] = true, ["iso-10646-ucs-2"] = true,
}

-- Return Wireshark's number of an 8-bit encoding by its name, or nil.
local function encoding_of(name)
  local number = match(name, "^iso%-8859%-(%d+)$")
  if number then
    return _G["ENC_ISO_8859_" .. number]
  end
  number = match(name, "^windows%-(%d+)$")
  if number then
    return _G["ENC_WINDOWS_" .. number] or _G["ENC_CP" .. number]
  end
  if name == "koi8-r" then
    return _G["ENC_KOI8_R"]
  end
  return nil
end

-- Return the label that says how an 8-bit body is to be read: RFC 7303 section 3.
local function labelled(raw)
  local all = { sip_content_type() }
  local header = #all > 0 and tostring(all[#all].value) or ""
  local charset = match(lower(header), ";%s*charset%s*=%s*[\"']?([^\"';%s]+)")
  if charset and (UTF8_NAMES[charset] or encoding_of(charset)) then
    return charset
  end
  local declaration = match(sub(raw, 1, 300), "^%s*<%?xml%s([^>]*)>")
  local declared = declaration and match(declaration, "encoding%s*=%s*[\"']([^\"'>]*)[\"']")
  return declared and lower(declared) or "utf-8"
end

-- Return a body as UTF-8 and whether offsets in it are those of the body; nil and the reason.
local function decoded(tvb, raw)
  local order = wide(raw)
  if order then
    local text = narrowed(raw, order)
    if #raw % 2 ~= 0 or text == nil then
      return nil, "not valid UTF-16"
    end
    return text, false
  end
  local name = labelled(raw)
  if find(raw, "^\239\187\191") or UTF8_NAMES[name] or WIDE_NAMES[name] then
    return raw, true -- a label of 16 bits on bytes of 8 is a habit of .NET
  end
  local encoding = encoding_of(name)
  if encoding == nil then
    return nil, "the declared encoding is not known"
  end
  return tvb:range():string(encoding), false
end

-- Whether it is XCCOS ----------------------------------------------------------------------------

-- Return the place after the internal subset and the end of a document type, or nil.
local function after_doctype(text, at)
  local inside = false
  while true do
    local stop = find(text, "[\"'%[%]>]", at)
    if stop == nil then
      return nil
    end
    local one = sub(text, stop, stop)
    if one == '"' or one == "'" then
      stop = find(text, one, stop + 1, true)
      if stop == nil then
        return nil
      end
    elseif one == "[" then
      inside = true
    elseif one == "]" then
      inside = false
    elseif not inside then
      return stop + 1
    end
    at = stop + 1
  end
end

local function names_xccos(text, at)
  local name, after = match(text, "^([^%s<>/=\"'!?]+)()", at)
  if name == nil or not (after > #text or find(text, "^[%s/>]", after)) then
    return false
  end
  name = lower(name)
  return name == "xccos" or match(name, "^[^:]+:xccos$") ~= nil
end

-- Say whether the root element of a body has the local name `xccos`, in any case.
local function is_xccos(text)
  local at = 1
  if find(text, "^\239\187\191") then
    at = 4
  end
  while true do
    at = find(text, "[^ \t\r\n]", at)
    if at == nil or byte(text, at) ~= 0x3C then
      return false
    end
    local stop
    if sub(text, at, at + 3) == "<!--" then
      _, stop = find(text, "-->", at + 4, true)
    elseif sub(text, at, at + 1) == "<?" then
      _, stop = find(text, "?>", at + 2, true)
    elseif sub(text, at, at + 8) == "<!DOCTYPE" then
      local name = find(text, "[^ \t\r\n]", at + 9)
      if name and names_xccos(text, name) then
        return true -- a document type that names its root counts however it goes on
      end
      stop = after_doctype(text, at + 9)
      stop = stop and stop - 1
    else
      return names_xccos(text, at + 1)
    end
    if stop == nil then
      return false
    end
    at = stop + 1
  end
end

-- XML --------------------------------------------------------------------------------------------

local ENTITIES = { lt = "<", gt = ">", amp = "&", apos = "'", quot = '"' }
local NAME = "[A-Za-z_:\128-\255][A-Za-z0-9_:.%-\128-\255]*"
local ATTRIBUTE = "^[ \t\r\n]+()(" .. NAME .. ")[ \t\r\n]*=[ \t\r\n]*([\"'])()"
local XML = "http://www.w3.org/XML/1998/namespace"

-- Return character data with its references replaced; nil where one is not known.
local function unescaped(text)
  if find(text, "\r", 1, true) then
    text = gsub(gsub(text, "\r\n", "\n"), "\r", "\n")
  end
  if not find(text, "&", 1, true) then
    return text
  end
  local _, wanted = gsub(text, "&", "")
  local good = 0
  text = gsub(text, "&(#?[A-Za-z0-9]+);", function(name)
    local found = ENTITIES[name]
    if found == nil then
      local digits = match(name, "^#x(%x+)$")
      local code = digits and #digits < 9 and tonumber(digits, 16)
      if code == nil then
        digits = match(name, "^#(%d+)$")
        code = digits and #digits < 9 and tonumber(digits, 10)
      end
      found = code and utf8_of(code)
    end
    if found then
      good = good + 1
    end
    return found or ""
  end)
  if good ~= wanted then
    return nil
  end
  return text
end

-- Characters above ASCII that are in no name: signs, marks, blanks (XML 1.0 appendix B, roughly).
local NOT_NAMES = {
  "\194[\128-\169\171-\180\182\184\185\187-\191]", "\195[\151\183]", "\226[\128-\132\134-\175]",
  "\239\187\191", "\239\191[\176-\191]", "\238", "[\240-\244]",
}

-- Return prefix and local name, or nil where it is no name with namespaces.
local function split(qname)
  if find(qname, "[\128-\255]") then
    for _, one in ipairs(NOT_NAMES) do
      if find(qname, one) then
        return nil
      end
    end
  end
  local prefix, rest = match(qname, "^([^:]+):([^:]+)$")
  if prefix then
    if find(rest, "^[0-9.%-]") then
      return nil
    end
    return prefix, rest
  elseif find(qname, ":", 1, true) then
    return nil
  end
  return "", qname
end

-- Read the attributes of a start tag from `at` on. Return the place after them; nil and the reason.
local function attributes(text, at, node, scope)
  local list, seen, count, own = {}, {}, 0, nil
  while true do
    local from, qname, quote, begin = match(text, ATTRIBUTE, at)
    if from == nil then
      break
    end
    local stop = find(text, quote, begin, true)
    if stop == nil then
      return nil, "an attribute value does not end"
    end
    local value = sub(text, begin, stop - 1)
    if find(value, "<", 1, true) then
      return nil, "'<' in an attribute value"
    end
    value = unescaped(gsub(gsub(value, "\r\n", "\n"), "[\t\r\n]", " "))
    local prefix, name = split(qname)
    count = count + 1
    if value == nil then
      return nil, "a reference that is not known"
    elseif prefix == nil then
      return nil, "an attribute name that is none"
    elseif seen[qname] then
      return nil, "an attribute that is there twice"
    elseif count > MAX_ATTRIBUTES then
      return nil, "more than " .. MAX_ATTRIBUTES .. " attributes in one element"
    end
    seen[qname] = true
    if qname == "xmlns" or prefix == "xmlns" then
      local declared = prefix == "" and "" or name
      if (declared ~= "" and value == "") or declared == "xmlns"
        or (declared == "xml") ~= (value == XML) then
        return nil, "a namespace declaration that is not allowed"
      end
      own = own or setmetatable({}, { __index = scope })
      own[declared] = value
    else
      list[#list + 1] = { prefix = prefix, name = name, value = value, from = from, to = stop }
    end
    at = stop + 1
  end
  node.scope = own or scope
  local expanded = {}
  for _, one in ipairs(list) do
    if one.prefix ~= "" then
      local uri = node.scope[one.prefix]
      local key = uri and uri .. " " .. one.name
      if uri == nil then
        return nil, "a prefix that is not declared"
      elseif expanded[key] then
        return nil, "an attribute that is there twice"
      end
      expanded[key] = true
    end
  end
  node.attributes = list
  return at
end

-- The reader of one document: what is open, and what was read so far.
local Reader = {}
Reader.__index = Reader

-- Read a start tag at `at`. Return the place after it; nil and the reason.
function Reader:start(at)
  local qname = match(self.text, "^" .. NAME, at + 1)
  if qname == nil then
    return nil, "a tag without a name"
  end
  local prefix, name = split(qname)
  if prefix == nil then
    return nil, "an element name that is none"
  end
  local parent = self.open[#self.open]
  if parent == nil and self.root then
    return nil, "more than one root element"
  end
  self.count = self.count + 1
  if #self.open >= MAX_DEPTH then
    return nil, "nested more than " .. MAX_DEPTH .. " deep"
  elseif self.count > MAX_ELEMENTS then
    return nil, "more than " .. MAX_ELEMENTS .. " elements"
  end
  local node = { qname = qname, name = name, from = at, texts = {}, children = {} }
  local after, why = attributes(self.text, at + 1 + #qname, node, parent and parent.scope or { xml = XML })
  if after == nil then
    return nil, why
  end
  if prefix ~= "" and (node.scope[prefix] == nil or prefix == "xmlns") then
    return nil, "a prefix that is not declared"
  end
  local slash, next_at = match(self.text, "^[ \t\r\n]*(/?)>()", after)
  if slash == nil then
    return nil, "a tag that does not end"
  end
  if parent then
    if #self.open == 1 and #parent.children >= MAX_ITEMS then
      return nil, "more than " .. MAX_ITEMS .. " items in an envelope"
    end
    parent.children[#parent.children + 1] = node
    parent.texts[#parent.texts + 1] = node -- its place among the text
  else
    self.root = node
  end
  if slash == "/" then
    node.to = next_at - 1
  else
    self.open[#self.open + 1] = node
  end
  return next_at
end

-- Read an end tag at `at`. Return the place after it; nil and the reason.
function Reader:finish(at)
  local qname, next_at = match(self.text, "^</(" .. NAME .. ")[ \t\r\n]*>()", at)
  local node = self.open[#self.open]
  if qname == nil then
    return nil, "an end tag that does not end"
  elseif node == nil or node.qname ~= qname then
    return nil, "an end tag that fits no start tag"
  end
  node.to = next_at - 1
  self.open[#self.open] = nil
  return next_at
end

-- Take in what stands between two tags. Return the reason why it must not stand there, or nil.
function Reader:data(from, to)
  local text = sub(self.text, from, to)
  local node = self.open[#self.open]
  if node == nil then
    return find(text, "[^ \t\r\n]") and "text outside the root element" or nil
  elseif find(text, "]]>", 1, true) then
    return "']]>' in text"
  end
  text = unescaped(text)
  if text == nil then
    return "a reference that is not known"
  end
  node.texts[#node.texts + 1] = text
  return nil
end

-- Read what begins with `<!` or `<?` at `at`. Return the place after it; nil and the reason.
function Reader:special(at)
  local text = self.text
  if sub(text, at, at + 3) == "<!--" then
    local dashes = find(text, "--", at + 4, true)
    if dashes == nil or sub(text, dashes + 2, dashes + 2) ~= ">" then
      return nil, "a comment that does not end, or holds '--'"
    end
    return dashes + 3
  elseif sub(text, at, at + 8) == "<![CDATA[" then
    local stop = find(text, "]]>", at + 9, true)
    local node = self.open[#self.open]
    if stop == nil or node == nil then
      return nil, "a CDATA section that does not end, or is outside the root element"
    end
    local held = gsub(gsub(sub(text, at + 9, stop - 1), "\r\n", "\n"), "\r", "\n")
    node.texts[#node.texts + 1] = held
    return stop + 3
  elseif sub(text, at, at + 1) == "<?" then
    local target = match(text, "^" .. NAME, at + 2)
    local stop = find(text, "?>", at + 2, true)
    if target == nil or stop == nil then
      return nil, "a processing instruction that does not end"
    elseif lower(target) == "xml" and at ~= self.first then
      return nil, "an XML declaration that does not come first"
    end
    return stop + 2
  end
  return nil, "a document type (DTD) is refused"
end

-- Read a document. Return its root, as far as it was read, and the reason and place of its fault.
local function parse(text)
  local first = find(text, "^\239\187\191") and 4 or 1
  first = find(text, "[^ \t\r\n]", first) or #text + 1
  local reader = setmetatable({ text = text, open = {}, count = 0, first = first }, Reader)
  local at = first
  while true do
    local tag = find(text, "<", at, true)
    local why
    if at < (tag or #text + 1) then
      why = reader:data(at, (tag or #text + 1) - 1)
    end
    if why == nil and tag == nil then
      if #reader.open > 0 then
        why = "the end is missing: <" .. reader.open[#reader.open].qname .. "> is open"
      elseif reader.root == nil then
        why = "there is no element"
      end
      return reader.root, why, #text
    end
    if why == nil then
      local next_byte, next_at = byte(text, tag + 1), nil
      if next_byte == 0x2F then
        next_at, why = reader:finish(tag)
      elseif next_byte == 0x21 or next_byte == 0x3F then
        next_at, why = reader:special(tag)
      else
        next_at, why = reader:start(tag)
      end
      at = next_at or tag
    end
    if why then
      return reader.root, why, at
    end
  end
end

-- Return the value of an attribute by its local name; one without a prefix goes first.
local function get(node, name)
  local other
  for _, one in ipairs(node.attributes) do
    if one.name == name then
      if one.prefix == "" then
        return one.value
      end
      other = other or one.value
    end
  end
  return other
end

-- Return the first child of a local name.
local function child(node, name)
  for _, one in ipairs(node.children) do
    if one.name == name then
      return one
    end
  end
  return nil
end

-- Append all text inside a node, that of its descendants included.
local function gather(node, parts)
  for _, one in ipairs(node.texts) do
    if type(one) == "string" then
      parts[#parts + 1] = one
    else
      gather(one, parts)
    end
  end
end

local function content(node)
  local parts = {}
  gather(node, parts)
  return concat(parts)
end

-- Commands and replies ---------------------------------------------------------------------------

-- Commands by connection, envid and seqid: { frame, time, call_id, replies }, in order of frames.
local commands, remembered = {}, 0

function xccos.init()
  commands, remembered = {}, 0
end

local function call_id()
  local all = { sip_call_id() }
  return #all > 0 and tostring(all[#all].value) or nil
end

-- Return the keys of a message's connection and of its two hosts, the same in both directions.
local function ends(pinfo)
  local src, dst = tostring(pinfo.src), tostring(pinfo.dst)
  local from = src .. " " .. tostring(pinfo.src_port)
  local to = dst .. " " .. tostring(pinfo.dst_port)
  if from > to then
    from, to = to, from
  end
  if src > dst then
    src, dst = dst, src
  end
  return "c " .. from .. " " .. to, "h " .. src .. " " .. dst
end

-- Return the place of the last of a list, ascending by frame, that is not after a frame; 0: none.
local function last_until(list, frame)
  local low, high = 0, #list
  while low < high do
    local middle = floor((low + high + 1) / 2)
    if list[middle].frame <= frame then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

local function remember(key, command)
  local list = commands[key]
  if list == nil then
    list = {}
    commands[key] = list
  end
  if #list < MAX_TRIES then
    table.insert(list, last_until(list, command.frame) + 1, command)
  end
end

-- Return the command that this frame brought under this key, remembering it the first time.
local function noted(keys, envid, seqid, pinfo, id)
  local tail = " " .. envid .. " " .. (seqid or "")
  local list = commands[keys[1] .. tail]
  local at = list and last_until(list, pinfo.number) or 0
  local known = at > 0 and list[at].frame == pinfo.number and list[at] or nil
  if known then
    known.call_id = known.call_id or id
    return known
  end
  if remembered >= MAX_REMEMBERED then
    return nil
  end
  remembered = remembered + 1
  local command = { frame = pinfo.number, time = pinfo.rel_ts, call_id = id, replies = {} }
  for _, key in ipairs(keys) do
    remember(key .. tail, command)
  end
  return command
end

-- Return the latest command before this frame that a commandid names: on its own connection, else
-- on another one of the same two hosts (servers open one each way). Call-IDs are known only where
-- Wireshark made a tree; where both are, they must be the same.
local function command_of(keys, envid, seqid, pinfo, id)
  for _, key in ipairs(keys) do
    local list = commands[key .. " " .. envid .. " " .. (seqid or "")]
    local at = list and last_until(list, pinfo.number) or 0
    while at > 0 do
      local one = list[at]
      if one.call_id == nil or id == nil or one.call_id == id then
        return one
      end
      at = at - 1
    end
  end
  return nil
end

local function note_reply(command, frame)
  local replies = command.replies
  for _, known in ipairs(replies) do
    if known == frame then
      return
    end
  end
  if #replies < MAX_REPLIES then
    replies[#replies + 1] = frame
  end
end

local function span(seconds)
  local whole = floor(seconds)
  local rest = floor((seconds - whole) * 1e9 + 0.5)
  if rest >= 1000000000 then
    whole, rest = whole + 1, rest - 1000000000
  end
  return NSTime.new(whole, rest)
end

-- The tree ---------------------------------------------------------------------------------------

-- Attributes with a field of their own, by element and by name.
local ROOMS = { grpchat = "chanUri", msg = "chanUri", chanib = "uri", ftdb = "channelUri" }
local KNOWN = {
  chanib = { name = f.room_name },
  uib = { uri = f.user },
  grpchat = { author = f.author, ts = f.ts },
  msg = { author = f.author, ts = f.ts },
}

-- One tree: what the bytes of a node are, and how many lines may still be added.
local Sheet = {}
Sheet.__index = Sheet

-- What nobody looks at (a filter is applied, a file is loaded) needs no places: making them takes
-- longer than all the rest.
function Sheet:range(node)
  if not self.exact then
    return self.whole
  end
  local from = math.min(node.from, self.size)
  local to = math.min(node.to or self.size, self.size)
  return self.tvb:range(from - 1, to - from + 1)
end

-- Add a line; nil where there have been enough.
function Sheet:line(tree, field, range, value)
  if self.left <= 0 then
    return nil
  end
  self.left = self.left - 1
  return tree:add(field, range, value)
end

function Sheet:attributes(tree, node)
  local known = KNOWN[node.name]
  for _, one in ipairs(node.attributes) do
    local range = self:range(one)
    if ROOMS[node.name] == one.name then
      self:line(tree, f.room, range, one.value)
    elseif known and known[one.name] then
      self:line(tree, known[one.name], range, one.value)
    else
      local text = one.name .. "=" .. one.value
      local line = self:line(tree, f.attribute, range, text)
      if line and self.seen then
        line:set_text(label(one.name .. ": " .. one.value))
      end
    end
  end
  self:parted(tree, node)
end

-- Add the room that an element names by its two parts.
function Sheet:parted(tree, node)
  if node.name ~= "chanid" and node.name ~= "aib" and node.name ~= "fib" then
    return
  end
  local domain, value = get(node, "domain"), get(node, "value")
  if domain and domain ~= "" and value and value ~= "" then
    local field = node.name == "fib" and f.failed_room or f.room
    local line = self:line(tree, field, self:range(node), "ma-chan://" .. domain .. "/" .. value)
    if line then
      line:set_generated()
      if node.name == "fib" then
        line:add_proto_expert_info(e.room, label("Not joined: ma-chan://" .. domain .. "/" .. value))
      end
    end
  end
end

-- Add an element below an item, with all that is in it.
function Sheet:node(tree, node)
  local line = self:line(tree, f.node, self:range(node), node.name)
  if line == nil then
    return
  end
  if self.seen then
    local heading = node.name
    for _, one in ipairs(node.attributes) do
      if #heading > MAX_LABEL then
        break
      end
      heading = heading .. " " .. one.name .. "=" .. one.value
    end
    line:set_text(label(heading))
  end
  self:attributes(line, node)
  self:inside(line, node)
end

-- Add the text and the children of an element, in the order in which they stand.
function Sheet:inside(line, node)
  for _, one in ipairs(node.texts) do
    if type(one) ~= "string" then
      self:node(line, one)
    elseif find(one, "[^ \t\r\n]") then
      if node.name == "chat" then
        self:line(line, f.chat, self:range(node), one)
      else
        self:line(line, f.content, self:range(node), one)
      end
    end
  end
end

-- Keep a line for filters only.
local function hide(line)
  if line then
    line.hidden = true
  end
end

local HEADED = { cmd = "Command", rpl = "Reply", ntc = "Notice", grpchat = "Chat message" }

function Sheet:code(tree, resp)
  local range, code = self:range(resp), get(resp, "code")
  local number = code and #code < 10 and match(code, "^%d+$") and tonumber(code) or nil
  local line
  if number then
    line = self:line(tree, f.code, range, number)
  elseif code then
    line = self:line(tree, f.odd_code, range, code)
  end
  local text = content(resp)
  self:line(tree, f.text, range, text)
  if line == nil then
    return
  end
  local told = label("Result " .. code .. " " .. text)
  if number == nil or number >= 500 then
    line:add_proto_expert_info(e.failed, told)
  elseif number >= 400 then
    line:add_proto_expert_info(e.refused, told)
  end
end

-- Link a command and its replies.
function Sheet:linked(tree, node, answers)
  local kind = lower(node.name)
  if kind == "cmd" and self.envid then
    local command = noted(self.keys, self.envid, get(node, "seqid"), self.pinfo, self.call_id)
    for _, frame in ipairs(command and command.replies or {}) do
      tree:add(f.response_in, frame):set_generated()
    end
  elseif kind == "rpl" and answers then
    local envid = get(answers, "envid")
    local command = envid
      and command_of(self.keys, envid, get(answers, "seqid"), self.pinfo, self.call_id)
    if command then
      note_reply(command, self.pinfo.number)
      tree:add(f.request_in, command.frame):set_generated()
      if self.pinfo.rel_ts >= command.time then
        tree:add(f.response_time, span(self.pinfo.rel_ts - command.time)):set_generated()
      end
    end
  end
end

-- Return an id without its prefix, in lower case; without an id the name of the element.
local function base_name(node)
  local id = lower(get(node, "id") or node.name)
  local prefix, rest = match(id, "^(%a+):(.*)$")
  return HEADED[prefix or ""] and rest or id
end

-- Add one child of the envelope. Return what the Info column says of it.
function Sheet:item(tree, node)
  local id, resp = get(node, "id"), child(node, "resp")
  local told = id or node.name
  local code = resp and get(resp, "code")
  if code and code ~= "200" then
    told = told .. " " .. code
  end
  local line = self:line(tree, f.element, self:range(node), node.name)
  if line == nil then
    return told
  end
  if self.seen then
    line:set_text(label((HEADED[lower(node.name)] or node.name) .. ": " .. told))
  end
  local seqid = get(node, "seqid")
  for _, one in ipairs(node.attributes) do
    if one.name == "id" and one.value == id then
      self:line(line, f.id, self:range(one), one.value)
    elseif one.name == "seqid" and one.value == seqid then
      self:line(line, f.seqid, self:range(one), one.value)
    end
  end
  local name = self:line(line, f.name, self:range(node), base_name(node))
  if name then
    name:set_generated()
  end
  local answers = child(node, "commandid")
  if answers then
    for _, one in ipairs(answers.attributes) do
      if one.name == "seqid" or one.name == "envid" then
        local field = one.name == "seqid" and f.command_seqid or f.command_envid
        self:line(line, field, self:range(one), one.value)
      end
    end
  end
  if resp then
    self:code(line, resp)
  end
  local chat = lower(node.name) == "grpchat" and child(node, "chat")
  if chat then -- xccos.text is what the item says, xccos.chat below it what people wrote
    hide(self:line(line, f.text, self:range(chat), content(chat)))
  end
  self:linked(line, node, answers)
  self:rest(line, node, answers, resp)
  return told
end

-- Add what an item has besides what was said of it.
function Sheet:rest(tree, node, answers, resp)
  local others = {}
  for _, one in ipairs(node.attributes) do
    if one.name ~= "id" and one.name ~= "seqid" then
      others[#others + 1] = one
    end
  end
  self:attributes(tree, { name = node.name, attributes = others, from = node.from, to = node.to })
  for _, one in ipairs(node.texts) do
    if type(one) == "string" then
      if find(one, "[^ \t\r\n]") then
        self:line(tree, f.content, self:range(node), one)
      end
    elseif one ~= answers and one ~= resp then
      self:node(tree, one)
    end
  end
end

-- Return "cmd:join, cmd:getpref x11".
local function summary(told)
  local counts, order = {}, {}
  for _, one in ipairs(told) do
    if counts[one] == nil then
      counts[one] = 0
      order[#order + 1] = one
    end
    counts[one] = counts[one] + 1
  end
  local parts = {}
  for k, one in ipairs(order) do
    if k > MAX_TOLD then
      parts[k] = "..."
      break
    end
    parts[k] = counts[one] > 1 and one .. " x" .. counts[one] or one
  end
  return label(concat(parts, ", "))
end

-- Add the envelope. Return what the Info column says.
function Sheet:envelope(tree, root)
  for _, one in ipairs(root.attributes) do
    if one.name == "ver" then
      self:line(tree, f.ver, self:range(one), one.value)
    elseif one.name == "envid" then
      self:line(tree, f.envid, self:range(one), one.value)
    else
      self:attributes(tree, { name = root.name, attributes = { one }, from = one.from, to = one.to })
    end
  end
  self.envid = get(root, "envid")
  local told = {}
  for _, node in ipairs(root.children) do
    if node.to then -- one that does not end says little
      told[#told + 1] = self:item(tree, node)
    end
  end
  return summary(told)
end

-- The dissector ----------------------------------------------------------------------------------

local function show(tvb, pinfo, tree, raw)
  local line = tree:add(xccos, tvb:range())
  local text, exact = nil, nil
  local root, why, at = nil, nil, nil
  if #raw > MAX_BODY then
    why = "longer than " .. MAX_BODY .. " bytes"
  else
    text, exact = decoded(tvb, raw)
    if text == nil then
      why = exact
    else
      at = bad_byte(text)
      if at then
        why = "not valid UTF-8"
      else
        root, why, at = parse(text)
      end
    end
  end
  local told = ""
  if root and root.attributes then
    local connection, hosts = ends(pinfo)
    local sheet = setmetatable({
      tvb = tvb, whole = tvb:range(), seen = tree.visible, exact = exact == true and tree.visible,
      size = #raw, left = MAX_LINES, pinfo = pinfo,
      keys = { connection, hosts }, call_id = call_id(),
    }, Sheet)
    told = sheet:envelope(line, root)
    if sheet.left <= 0 then
      line:add_proto_expert_info(e.cut, "The first " .. MAX_LINES .. " lines are shown")
    end
  end
  if why then
    local place = at and exact == true and " (byte " .. at .. ")" or ""
    line:add_proto_expert_info(e.malformed, label(why .. place))
    told = told == "" and "malformed" or told .. ", malformed"
  end
  line:append_text(", " .. (told == "" and "empty envelope" or told))
  pinfo.cols.info:append("XCCOS " .. (told == "" and "empty envelope" or told))
  if pinfo.private["xccos"] == nil then -- a frame may hold several messages
    pinfo.private["xccos"] = "1"
    pinfo.cols.protocol:append("/XCCOS")
  end
end

-- Dissect a body that is XCCOS. Return false where it is not.
local function claimed(tvb, pinfo, tree)
  local size = tvb:len()
  if size == 0 then
    return false
  end
  local raw = tvb:range(0, size):raw()
  local begin = raw
  local order = wide(raw)
  if order then
    begin = narrowed(raw, order, 8192) or ""
  end
  if not is_xccos(begin) then
    return false
  end
  show(tvb, pinfo, tree, raw)
  return true
end

local before = {} -- the dissectors that the media types had

function xccos.dissector(tvb, pinfo, tree)
  if claimed(tvb, pinfo, tree) then
    return tvb:len()
  end
  local other = before[lower(pinfo.match_string or "")]
  if other then
    return other:call(tvb, pinfo, tree)
  end
  return 0
end

local media = DissectorTable.get("media_type")
for _, name in ipairs(MEDIA_TYPES) do
  before[name] = media:get_dissector(name)
  media:add(name, xccos)
end
-- Bodies of types that nothing dissects, or of none.
pcall(function()
  xccos:register_heuristic("sip", claimed)
end)

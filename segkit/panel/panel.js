// The panel in the browser: draws a draft as rows, edits it at once, and sends it on. The kernel answers with reasons,
// bounds and sizes, each with the revision it belongs to. Data only ever becomes text nodes and values of controls.

// ---------------------------------------------------------------- edits: the same functions as in edits.py

const copy = (value) => JSON.parse(JSON.stringify(value));
const isGroup = (row) => row.is === "group";
const TOO_DEEP = 25;

export function rowAt(draft, path) {
  let row = draft.root;
  for (const at of path) {
    if (!isGroup(row) || !(at >= 0 && at < row.items.length)) throw new Error(`there is no row at ${path}`);
    row = row.items[at];
  }
  return row;
}

function groupAt(draft, path) {
  const row = rowAt(draft, path);
  if (!isGroup(row)) throw new Error(`the row at ${path} is no group`);
  return row;
}

function placed(path) {
  if (!path.length) throw new Error("the outermost group stays where it is");
  return [path.slice(0, -1), path[path.length - 1]];
}

export function everyRow(row, found = []) {
  found.push(row);
  for (const item of row.items ?? []) everyRow(item, found);
  return found;
}

function filterOf(row) {
  return row.subject?.is === "events" ? row.subject.filter : [];
}

export function freshId(draft) {
  const ids = everyRow(draft.root).flatMap((row) => [row.id, ...filterOf(row).map((rule) => rule.id)]);
  return 1 + Math.max(0, ...ids.filter((id) => /^[0-9]+$/.test(id)).map(Number));
}

const depthOf = (row) => 1 + Math.max(0, ...(row.items ?? []).map(depthOf));

function renumbered(row, first) {
  const own = copy(row);
  let next = first;
  for (const each of everyRow(own)) {
    each.id = String(next++);
    for (const rule of filterOf(each)) rule.id = String(next++);
  }
  return own;
}

function insert(group, at, row) {
  const position = at ?? group.items.length;
  if (!(position >= 0 && position <= group.items.length)) throw new Error(`there is no position ${position}`);
  group.items.splice(position, 0, row);
}

function edited(change) {
  return (draft, ...rest) => {
    const next = copy(draft);
    change(next, ...rest);
    if (depthOf(next.root) > TOO_DEEP) throw new Error("the groups are nested too deep");
    next.revision = draft.revision + 1;
    return next;
  };
}

function replaceAt(draft, path, row) {
  const [above, at] = placed(path);
  groupAt(draft, above).items[at] = row;
}

function moveTo(draft, path, into, at) {
  const [above, position] = placed(path);
  const row = rowAt(draft, path);
  const target = groupAt(draft, into);
  if (path.every((step, i) => into[i] === step)) throw new Error("a group cannot stand in itself");
  const source = groupAt(draft, above);
  if (!(at >= 0 && at <= target.items.length)) throw new Error(`there is no position ${at}`);
  const shift = source === target && at > position ? 1 : 0;
  source.items.splice(position, 1);
  insert(target, at - shift, row);
}

export const edits = {
  add: edited((draft, into, row, at = null) => insert(groupAt(draft, into), at, renumbered(row, freshId(draft)))),
  remove: edited((draft, path) => {
    const [above, at] = placed(path);
    rowAt(draft, path);
    groupAt(draft, above).items.splice(at, 1);
  }),
  duplicate: edited((draft, path) => {
    const [above, at] = placed(path);
    insert(groupAt(draft, above), at + 1, renumbered(rowAt(draft, path), freshId(draft)));
  }),
  move: edited(moveTo),
  nudge: edited((draft, path, up) => {
    const [above, at] = placed(path);
    const group = groupAt(draft, above);
    rowAt(draft, path);
    const beside = up ? at - 1 : at + 1;
    if (beside >= 0 && beside < group.items.length) {
      const neighbour = group.items[beside];
      if (isGroup(neighbour)) moveTo(draft, path, [...above, beside], up ? neighbour.items.length : 0);
      else moveTo(draft, path, above, up ? beside : beside + 1);
      return;
    }
    if (!above.length) throw new Error(`the row is the ${up ? "first" : "last"}`);
    moveTo(draft, path, above.slice(0, -1), above[above.length - 1] + (up ? 0 : 1));
  }),
  wrap: edited((draft, path) => {
    const row = rowAt(draft, path);
    replaceAt(draft, path, { ...emptyGroup(), id: String(freshId(draft)), items: [row] });
  }),
  unwrap: edited((draft, path) => {
    const [above, at] = placed(path);
    const group = groupAt(draft, path);
    if (group.negated) throw new Error("the group is negated");
    const rows = group.muted ? group.items.map((row) => ({ ...row, muted: true })) : group.items;
    groupAt(draft, above).items.splice(at, 1, ...rows);
  }),
  negate: edited((draft, path) => {
    const row = rowAt(draft, path);
    row.negated = !row.negated;
  }),
  mute: edited((draft, path) => {
    placed(path);
    const row = rowAt(draft, path);
    row.muted = !row.muted;
  }),
  join: edited((draft, path, logic) => {
    groupAt(draft, path).logic = logic;
  }),
  change: edited((draft, path, parts) => {
    const row = rowAt(draft, path);
    if (row.is !== "rule") throw new Error("only a condition has a subject and an operator");
    Object.assign(row, copy(parts));
  }),
  rename: edited((draft, name, notes = null) => {
    draft.name = name;
    if (notes !== null) draft.notes = notes;
  }),
};

const emptyGroup = () => ({ is: "group", id: "", logic: "and", items: [], bare: true, negated: false, muted: false });
const emptyRule = () => ({
  is: "rule", id: "", subject: null, operator: "", values: [], span: null, ignore_case: false, negated: false, muted: false,
});
const emptyStretch = (kind) => ({ is: "stretch", kind, amount: "30", unit: "days", to: "", to_unit: "days", edge: false });

// ---------------------------------------------------------------- small parts

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  grip: "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01",
  up: "M8 13V3M4 7l4-4 4 4",
  down: "M8 3v10M4 9l4 4 4-4",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  remove: "M4 4l8 8M12 4l-8 8",
  eye: "M1.5 8s2.5-4.5 6.5-4.5S14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 0 .01 0",
  muted: "M2 2l12 12M3.5 5.2C2.2 6.5 1.5 8 1.5 8S4 12.5 8 12.5c1 0 2-.3 2.8-.7M6.5 3.700C7 3.600 7.5 3.5 8 3.5c4 0 6.5 4.5 6.5 4.5s-.6 1.100-1.700 2.300",
  fold: "M4 6l4 4 4-4",
  unfold: "M6 4l4 4-4 4",
  undo: "M3 6h6.5a3.5 3.5 0 0 1 0 7H6M6 3L3 6l3 3",
  redo: "M13 6H6.5a3.5 3.5 0 0 0 0 7H10M10 3l3 3-3 3",
  wrap: "M5 2.5H2.5v11H5M11 2.5h2.5v11H11M6 8h4",
  unwrap: "M2.5 5V2.5H5M13.5 5V2.5H11M2.5 11v2.5H5M13.5 11v2.5H11M5.5 8h5",
  plus: "M8 3v10M3 8h10",
};

function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" })) svg.setAttribute(key, value);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", ICONS[name]);
  svg.append(line);
  return svg;
}

const tool = (name, label, key, act, more = {}) =>
  h("button", { type: "button", class: "sk-tool", "aria-label": label, title: label, "data-key": key, onclick: act, ...more }, icon(name));

const select = (label, key, options, value, pick, more = {}) =>
  h(
    "select",
    { "aria-label": label, "data-key": key, onchange: (event) => pick(event.target.value), ...more },
    options.map(([own, text]) => {
      const option = h("option", { value: own }, text);
      option.selected = own === value;
      return option;
    }),
  );

const thousands = (number) => number.toLocaleString("en-US");
// As `percent` in display.py: without decimals only if it is exactly all or none.
function percent(share) {
  if (share === 0 || share === 1) return `${100 * share}%`;
  if (share < 0.0005) return "<0.1%";
  return share >= 0.9995 ? ">99.9%" : `${(100 * share).toFixed(1)}%`;
}
// A value in sight: blanks at its ends, which nobody would see, stand in quotes.
const visible = (text) => (text === "" ? "(empty text)" : /^\s|\s$|\s\s/.test(text) ? JSON.stringify(text) : text);
const NUMBERS = ["integer", "decimal", "float", "number"];
const TIMES = ["date", "timestamp", "timestamptz"];
const SORTS = { text: "text", boolean: "boolean", date: "date", timestamp: "timestamp", timestamptz: "timestamp" };
const sortOf = (kind) => SORTS[kind] ?? (NUMBERS.includes(kind) ? "number" : "text");
const KIND_WORDS = { integer: "number", decimal: "number", float: "number", timestamp: "time", timestamptz: "time", boolean: "yes/no" };
const kindWord = (kind) => KIND_WORDS[kind] ?? kind;
const TABS = [
  ["description", "Description"], ["preview", "Preview"], ["diagnose", "Diagnosis"], ["explain", "One contact"],
  ["sql", "SQL"], ["python", "Python"], ["text", "Text"], ["json", "JSON"],
];
const TYPING = 350;
let panels = 0;

// ---------------------------------------------------------------- the panel

class View {
  constructor(model, el) {
    this.model = model;
    this.own = `sk${++panels}`;
    this.draft = copy(model.get("draft"));
    this.undo = [];
    this.redo = [];
    this.folded = new Set();
    this.tab = "description";
    this.masked = true;
    this.contact = "";
    this.counted = {};
    this.waiting = new Map();
    this.asked = 0;
    this.suggestions = new Map();
    this.parts = new Map();
    this.root = h("div", { class: "segkit-panel", "data-lm-suppress-shortcuts": "true", role: "group", "aria-label": "Segment builder" });
    this.root.addEventListener("keydown", (event) => this.keys(event));
    el.append(this.root);
    this.frame();
    this.draw();
    this.listeners = [
      ["change:draft", () => this.arrived()],
      ["change:view", () => this.patch()],
      ["change:options", () => this.offered()],
      ["msg:custom", (message) => this.replied(message)],
    ];
    for (const [event, act] of this.listeners) model.on(event, act);
  }

  close() {
    for (const [event, act] of this.listeners) this.model.off(event, act);
    clearTimeout(this.sending);
    clearTimeout(this.asking);
    clearTimeout(this.offering);
    this.shut();
    this.root.remove();
  }

  get options() {
    return this.model.get("options");
  }

  get seen() {
    return this.model.get("view");
  }

  // ------------------------------------------------------------ edits, undo, the kernel

  edit(name, args, { focus = [], say = "", typing = null, redraw = true } = {}) {
    let next;
    try {
      next = edits[name](this.draft, ...args);
    } catch (error) {
      this.say(error.message);
      return;
    }
    const goesOn = typing !== null && this.typed === typing && Date.now() - this.typedAt < 1500;
    if (!goesOn) this.undo.push(this.draft);
    if (this.undo.length > 200) this.undo.shift();
    this.typed = typing;
    this.typedAt = Date.now();
    this.redo = [];
    this.draft = next;
    this.send(typing !== null);
    if (redraw) this.draw(focus);
    else this.stale();
    if (say) this.say(say);
  }

  send(isTyping) {
    clearTimeout(this.sending);
    const now = () => {
      this.sending = null;
      this.model.set("draft", this.draft);
      this.model.save_changes();
    };
    if (isTyping) this.sending = setTimeout(now, TYPING);
    else now();
  }

  step(from, to, word) {
    if (!from.length) return this.say(`nothing to ${word}`);
    to.push(this.draft);
    this.draft = { ...from.pop(), revision: this.draft.revision + 1 };
    this.typed = null;
    this.send(false);
    this.draw();
    this.fillName();
    this.say(`${word === "undo" ? "undone" : "redone"}`);
  }

  arrived() {
    const next = this.model.get("draft");
    if (this.sending || next.revision <= this.draft.revision) return;
    this.undo.push(this.draft);
    this.redo = [];
    this.draft = copy(next);
    this.fillName();
    this.draw();
  }

  ask(question, more = {}) {
    const number = ++this.asked;
    const answer = new Promise((resolve) => this.waiting.set(number, resolve));
    this.model.send({ ask: question, number, ...more });
    return answer;
  }

  replied(message) {
    this.waiting.get(message.number)?.(message);
    this.waiting.delete(message.number);
  }

  say(text) {
    this.status.textContent = text;
  }

  keys(event) {
    const key = event.key.toLowerCase();
    const command = (event.ctrlKey || event.metaKey) && !event.altKey;
    const again = command && (key === "y" || (key === "z" && event.shiftKey));
    if (again) this.step(this.redo, this.undo, "redo");
    else if (command && key === "z") this.step(this.undo, this.redo, "undo");
    else if (event.altKey && (key === "arrowup" || key === "arrowdown")) {
      const id = event.target.closest?.("[data-row]")?.dataset.row;
      const path = id === undefined ? null : this.pathOf(id);
      if (!path?.length) return;
      this.nudge(id, path, key === "arrowup", event.target.dataset.key);
    } else {
      event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  nudge(id, path, up, key) {
    const [above, at] = placed(path);
    const beside = groupAt(this.draft, above).items[up ? at - 1 : at + 1];
    if (beside) this.folded.delete(beside.id);
    this.edit("nudge", [path, up], { focus: [key, `${id}/grip`], say: `moved ${up ? "up" : "down"}` });
  }

  pathOf(id, row = this.draft.root, path = []) {
    if (row.id === id) return path;
    for (const [i, item] of (row.items ?? []).entries()) {
      const found = this.pathOf(id, item, [...path, i]);
      if (found) return found;
    }
    return null;
  }

  // ------------------------------------------------------------ the frame: name, total, tabs

  frame() {
    this.undoTool = tool("undo", "Undo (Ctrl+Z)", "undo", () => this.step(this.undo, this.redo, "undo"));
    this.redoTool = tool("redo", "Redo (Ctrl+Y)", "redo", () => this.step(this.redo, this.undo, "redo"));
    const typed = (part) => (event) => {
      const { name, notes } = this.draft;
      const args = part === "name" ? [event.target.value, notes] : [name, event.target.value];
      this.edit("rename", args, { typing: part, redraw: false });
    };
    this.nameInput = h("input", { class: "sk-name", "aria-label": "Name of the segment", placeholder: "Name of the segment", "data-key": "name", oninput: typed("name") });
    this.notesInput = h("textarea", { class: "sk-notes", rows: "1", "aria-label": "Notes", placeholder: "Notes: what is it for?", "data-key": "notes", oninput: typed("notes") });
    const save = h("button", { type: "button", class: "sk-button", "data-key": "save", onclick: () => this.save() }, "Save");
    const load = h("button", { type: "button", class: "sk-button", "data-key": "load", "aria-haspopup": "listbox", onclick: (event) => this.load(event.currentTarget) }, "Load…");
    this.total = h("span", { class: "sk-total-number" });
    this.totalShare = h("span", { class: "sk-total-share" });
    this.totalBar = h("span", { class: "sk-total-bar" }, h("span"));
    this.problem = h("p", { class: "sk-reason", role: "alert" });
    this.status = h("p", { class: "sk-status", role: "status" });
    this.tree = h("div", { class: "sk-tree" });
    this.footer = h("div", { class: "sk-tabs" });
    this.pop = h("div", { class: "sk-pop", popover: "manual" });
    this.root.append(
      h("div", { class: "sk-head" }, this.nameInput, h("div", { class: "sk-head-tools" }, this.undoTool, this.redoTool, load, save)),
      this.notesInput,
      h("div", { class: "sk-total" }, this.total, this.totalShare, this.status, this.totalBar),
      this.problem, this.tree, this.footer, this.pop,
    );
    this.drag();
    this.fillName();
    this.drawTabs();
  }

  fillName() {
    if (this.nameInput.value !== this.draft.name) this.nameInput.value = this.draft.name;
    if (this.notesInput.value !== this.draft.notes) this.notesInput.value = this.draft.notes;
  }

  async save() {
    this.flush();
    const answer = await this.ask("save");
    if (answer.error) return this.say(`not saved: ${answer.error.what}${answer.error.fix ? ` (${answer.error.fix})` : ""}`);
    this.say(`saved as ${answer.saved}${answer.muted ? "; muted parts are not in it" : ""}`);
  }

  load(anchor) {
    const items = this.options.segments.map((name) => ({ text: name, group: "Saved segments" }));
    this.choose(anchor, "Load a segment", items, async (item) => {
      const answer = await this.ask("load", { name: item.text });
      if (answer.error) this.say(answer.error.what);
    }, "no segments are saved yet");
  }

  flush() {
    if (this.sending) this.send(false);
  }

  // ------------------------------------------------------------ drawing the rows

  // Other options: the rows are drawn anew where a kind changed, and never under an open list.
  offered() {
    clearTimeout(this.offering);
    if (this.kinds === this.rowKinds()) return;
    if (this.anchor) this.offering = setTimeout(() => this.offered(), 100);
    else this.draw();
  }

  rowKinds() {
    const rows = everyRow(this.draft.root).filter((row) => row.subject);
    const filters = rows.flatMap(filterOf).filter((rule) => rule.subject);
    return JSON.stringify([rows.map((row) => this.kindOf(row.subject, row.id)), filters.map((rule) => this.kindOf(rule.subject, rule.id, true))]);
  }

  draw(focus = []) {
    const active = this.focused();
    clearTimeout(this.offering);
    this.shut();
    this.kinds = this.rowKinds();
    this.parts.clear();
    this.tree.replaceChildren(this.group(this.draft.root, []));
    this.patch();
    this.undoTool.setAttribute("aria-disabled", String(!this.undo.length));
    this.redoTool.setAttribute("aria-disabled", String(!this.redo.length));
    this.refocus([...focus.filter(Boolean), active?.key], active);
  }

  focused() {
    const node = this.root.getRootNode().activeElement;
    if (!node || !this.root.contains(node)) return null;
    return { key: node.dataset?.key, row: node.closest("[data-row]")?.dataset.row, at: node.selectionStart, to: node.selectionEnd };
  }

  refocus(keys, active) {
    if (!active && !keys[0]) return;
    const found = [...keys, active?.row && `${active.row}/grip`, `${this.draft.root.id}/add`].filter(Boolean)
      .map((key) => this.root.querySelector(`[data-key="${CSS.escape(key)}"]`)).find((node) => node && !node.disabled);
    if (!found) return;
    this.quiet = true;
    if (found !== this.root.getRootNode().activeElement) found.focus();
    this.quiet = false;
    if (active?.key === found.dataset.key && typeof active.at === "number" && found.setSelectionRange && found.type === "text") {
      found.setSelectionRange(active.at, active.to);
    }
  }

  sizeCell(id) {
    const number = h("span", { class: "sk-number" });
    const bar = h("span", { class: "sk-bar" }, h("span"));
    this.parts.set(id, { ...this.parts.get(id), number, bar });
    return h("div", { class: "sk-size" }, number, bar);
  }

  noteCell(id) {
    const bounds = h("p", { class: "sk-bounds" });
    const hint = h("p", { class: "sk-hint" });
    const reason = h("p", { class: "sk-reason", id: `${this.own}-${id}-reason` });
    this.parts.set(id, { ...this.parts.get(id), bounds, hint, reason });
    return h("div", { class: "sk-note" }, bounds, hint, reason);
  }

  actions(row, path, what) {
    const id = row.id;
    const [above] = placed(path);
    const siblings = groupAt(this.draft, above).items;
    const at = path[path.length - 1];
    const next = siblings[at + 1] ?? siblings[at - 1];
    const after = [next && `${next.id}/subject`, next && `${next.id}/fold`, next && `${next.id}/grip`, `${rowAt(this.draft, above).id}/add`];
    const shape = isGroup(row)
      ? tool("unwrap", `Dissolve the ${what}`, `${id}/shape`, () => this.edit("unwrap", [path], { focus: after, say: "dissolved the group" }), { disabled: row.negated })
      : tool("wrap", `Put the ${what} in a group`, `${id}/shape`, () => this.edit("wrap", [path], { focus: [`${id}/subject`], say: "put in a group" }));
    return h(
      "div", { class: "sk-actions" },
      tool(row.muted ? "muted" : "eye", row.muted ? `Take the ${what} back in` : `Mute the ${what}: leave it out`, `${id}/mute`,
        () => this.edit("mute", [path], { say: row.muted ? "taken back in" : "muted: left out" }), { "aria-pressed": String(row.muted) }),
      tool("copy", `Duplicate the ${what}`, `${id}/copy`, () => this.edit("duplicate", [path], { say: "duplicated" })),
      shape,
      tool("up", `Move the ${what} up (Alt+Up)`, `${id}/up`, () => this.nudge(id, path, true, `${id}/up`)),
      tool("down", `Move the ${what} down (Alt+Down)`, `${id}/down`, () => this.nudge(id, path, false, `${id}/down`)),
      tool("remove", `Remove the ${what}`, `${id}/remove`, () => this.edit("remove", [path], { focus: after, say: `removed the ${what}` })),
    );
  }

  not(row, path, what) {
    const press = () => this.edit("negate", [path], { say: row.negated ? "no longer negated" : "negated" });
    return h("button", { type: "button", class: "sk-not", "aria-pressed": String(row.negated), "aria-label": `Negate the ${what}`, title: `NOT: the contacts outside of this ${what}`, "data-key": `${row.id}/not`, onclick: press }, "NOT");
  }

  grip(row, what) {
    return tool("grip", `Drag the ${what}, or move it with Alt+Up and Alt+Down`, `${row.id}/grip`, null, { class: "sk-tool sk-grip", draggable: "true" });
  }

  group(row, path) {
    const isRoot = !path.length;
    const id = row.id;
    const folded = this.folded.has(id);
    const what = "group";
    const fold = () => {
      if (!this.folded.delete(id)) this.folded.add(id);
      this.draw([`${id}/fold`]);
    };
    const logic = (own, word, told) =>
      h("button", { type: "button", "aria-pressed": String(row.logic === own), title: told, "data-key": `${id}/${own}`, onclick: () => this.edit("join", [path, own]) }, word);
    const add = (kind, word, key) => {
      const act = () => {
        const first = String(freshId(this.draft));
        const focus = kind === "rule" ? [`${first}/subject`] : [`${first}/add`];
        this.folded.delete(id);
        this.edit("add", [path, kind === "rule" ? emptyRule() : emptyGroup()], { focus, say: `added a ${word}` });
        if (kind === "rule") this.root.querySelector(`[data-key="${CSS.escape(focus[0])}"]`)?.click();
      };
      return h("button", { type: "button", class: "sk-button sk-add", "data-key": `${id}/${key}`, onclick: act }, icon("plus"), word);
    };
    const head = h(
      "div", { class: "sk-row sk-group-head" },
      h("div", { class: "sk-main" },
        isRoot ? h("span", { class: "sk-no-grip" }) : this.grip(row, what),
        isRoot ? null : tool(folded ? "unfold" : "fold", folded ? "Show the rows of the group" : "Hide the rows of the group", `${id}/fold`, fold, { "aria-expanded": String(!folded) }),
        this.not(row, path, isRoot ? "whole" : what),
        h("div", { class: "sk-logic", role: "group", "aria-label": "How the rows are joined" }, logic("and", "AND", "all rows must hold"), logic("or", "OR", "at least one row must hold")),
        h("span", { class: "sk-words" }, this.words(row, folded)),
      ),
      this.sizeCell(id),
      isRoot ? h("div", { class: "sk-actions" }) : this.actions(row, path, what),
      this.noteCell(id),
    );
    const body = folded ? null : h(
      "div", { class: "sk-items" },
      row.items.map((item, i) => (isGroup(item) ? this.group(item, [...path, i]) : item.is === "kept" ? this.kept(item, [...path, i]) : this.rule(item, [...path, i]))),
      h("div", { class: "sk-adds", "data-end": id }, add("rule", "condition", "add"), add("group", "group", "add-group")),
    );
    const told = `${row.negated ? "Not: " : ""}${row.logic === "and" ? "all of" : "any of"} ${row.items.length} rows`;
    return h("div", { class: `sk-group${isRoot ? " sk-root" : ""}${row.muted ? " sk-muted" : ""}${row.negated ? " sk-negated" : ""}`, "data-row": id, role: "group", "aria-label": isRoot ? "All conditions" : told }, head, body);
  }

  words(row, folded) {
    if (!row.items.length) return row === this.draft.root ? "everyone: no conditions yet" : "empty: says nothing yet";
    const which = row.logic === "and" ? (row.negated ? "not all of these" : "all of these") : row.negated ? "none of these" : "any of these";
    return folded ? `${which}: ${row.items.length} hidden` : which;
  }

  kept(row, path) {
    return h(
      "div", { class: `sk-row sk-rule${row.muted ? " sk-muted" : ""}`, "data-row": row.id, role: "group", "aria-label": "Condition kept as it is" },
      h("div", { class: "sk-main" }, this.grip(row, "condition"), this.not(row, path, "condition"),
        h("code", { class: "sk-kept", title: "The panel cannot edit this; it is kept as it is. Edit it as text or in Python." }, row.label)),
      this.sizeCell(row.id), this.actions(row, path, "condition"), this.noteCell(row.id),
    );
  }

  rule(row, path) {
    const label = row.subject ? `Condition on ${this.subjectText(row.subject)}` : "New condition";
    return h(
      "div", { class: `sk-row sk-rule${row.muted ? " sk-muted" : ""}${row.negated ? " sk-negated" : ""}`, "data-row": row.id, role: "group", "aria-label": label },
      h("div", { class: "sk-main" }, this.grip(row, "condition"), this.not(row, path, "condition"), h("div", { class: `sk-cond${row.subject?.is === "events" ? " sk-on-events" : ""}` }, this.condition(row, path))),
      this.sizeCell(row.id), this.actions(row, path, "condition"), this.noteCell(row.id),
    );
  }

  // ------------------------------------------------------------ one condition

  condition(row, path) {
    const change = (parts, more) => this.edit("change", [path, parts], more);
    const subject = row.subject;
    const first = [this.subject(row, change)];
    if (!subject) return [...first, h("span", { class: "sk-words" }, "left out until something is chosen")];
    if (subject.is === "events") first.push(...this.measure(row, change));
    const second = subject.is === "events" ? this.streams(row, change) : null;
    return [...first, this.operator(row, change, this.kindOf(subject, row.id)), ...this.values(row, change, this.kindOf(subject, row.id)), second];
  }

  subjectText(subject) {
    if (subject.is === "field") return subject.name;
    if (subject.is === "events") return subject.event === "*" ? "any event" : subject.event;
    if (subject.is === "members") return `${subject.reference === "list" ? "List" : subject.reference === "segment" ? "Segment" : "List or segment"}: ${subject.name}`;
    return subject.label;
  }

  subject(row, change) {
    const subject = row.subject;
    const kind = subject ? this.kindOf(subject, row.id) : "";
    const badge = !subject ? "" : subject.is === "events" ? "event" : subject.is === "members" ? "" : kindWord(kind);
    const open = (event) => {
      const { options } = this;
      const items = [
        ...options.fields.map((own) => ({ text: own.name, note: kindWord(own.kind), group: own.from === "calculated" ? "Calculated fields" : "Fields", subject: { is: "field", name: own.name } })),
        ...["*", ...options.events].map((name) => ({ text: name === "*" ? "any event" : name, note: "event", group: "Events", subject: { is: "events", event: name, measure: "count", of: "", filter: [], window: null, noun: "" } })),
        ...options.lists.map((name) => ({ text: name, note: "list", group: "Lists", subject: { is: "members", reference: "list", name } })),
        ...options.segments.map((name) => ({ text: name, note: "segment", group: "Segments", subject: { is: "members", reference: "segment", name } })),
      ];
      items.sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
      this.choose(event.currentTarget, "Field, event, list or segment", items, (item) => {
        change(this.fitted({ ...this.now(row), subject: item.subject }, this.now(row)), { focus: [`${row.id}/value0`, `${row.id}/amount`, `${row.id}/operator`] });
      });
    };
    return h("button", { type: "button", class: `sk-pick${subject ? "" : " sk-blank"}`, "aria-haspopup": "listbox", "data-key": `${row.id}/subject`, "aria-label": subject ? `About: ${this.subjectText(subject)}` : "Choose a field, event, list or segment", onclick: open },
      h("span", { class: "sk-pick-name", title: subject ? this.subjectText(subject) : null }, subject ? this.subjectText(subject) : "choose…"), badge ? h("span", { class: "sk-kind" }, badge) : null);
  }

  kindOf(subject, id, inFilter = false) {
    const { options } = this;
    const named = (list, name) => (list.find((own) => own.name === name) ?? list.find((own) => own.name.toLowerCase() === name.toLowerCase()))?.kind ?? "unknown";
    if (subject.is === "field") return named(inFilter ? options.properties : options.fields, subject.name);
    if (subject.is === "members") return "members";
    if (subject.is === "value") return this.seen.rows?.[id]?.kind ?? "unknown";
    if (["count", "distinct", "days", "weeks", "months"].includes(subject.measure)) return "integer";
    if (["first", "last"].includes(subject.measure)) return "timestamp";
    if (["sum", "avg"].includes(subject.measure)) return "number";
    return named(options.properties, subject.of || "");
  }

  operatorsFor(kind) {
    if (kind === "unknown" || kind === "json") return this.options.operators.filter((own) => own.arguments !== "members");
    return this.options.operators.filter((own) => (kind === "members" ? own.arguments === "members" : own.kinds.includes(kind)));
  }

  operatorOf(key) {
    return this.options.operators.find((own) => own.key === key);
  }

  // A rule whose operator and values fit its subject; what fitted before stays.
  fitted(row, before, inFilter = false) {
    const kind = this.kindOf(row.subject, row.id, inFilter);
    const same = before.subject && sortOf(this.kindOf(before.subject, row.id, inFilter)) === sortOf(kind) && kind !== "members";
    const fits = this.operatorsFor(kind).some((own) => own.key === row.operator);
    const usual = kind === "members" ? "is_member" : NUMBERS.includes(kind) ? "greater_than_or_equal" : TIMES.includes(kind) ? "within" : kind === "boolean" ? "is_true" : "equals";
    const counts = row.subject.is === "events" && !same && row.subject.measure === "count";
    const next = { subject: row.subject, values: same ? row.values : counts ? [{ is: "entry", sort: "number", text: "1", label: "" }] : [], ignore_case: same ? row.ignore_case : false, span: row.span };
    return this.reshaped({ ...row, ...next }, fits && row.operator ? row.operator : usual);
  }

  // The parts of a rule with another operator.
  reshaped(row, operator) {
    const own = this.operatorOf(operator);
    const stretch = own?.stretch ? { ...(row.span ?? emptyStretch(own.stretch)), kind: own.stretch } : null;
    if (stretch && own.stretch === "between" && !stretch.to) Object.assign(stretch, { amount: "60", to: "30" });
    if (stretch && own.stretch === "period") Object.assign(stretch, { amount: row.span?.kind === "period" ? stretch.amount : "0", unit: row.span?.kind === "period" ? stretch.unit : "month" });
    if (stretch && own.stretch === "anniversary") stretch.amount = row.span?.kind === "anniversary" ? stretch.amount : "0";
    if (stretch && own.stretch !== "period" && this.options.periods.includes(stretch.unit)) Object.assign(stretch, { unit: "days", amount: "30" });
    if (stretch && !["last", "before"].includes(stretch.kind)) stretch.edge = false;
    const most = { none: 0, value: 1, text: 1, day: 1, pair: 2, values: Infinity }[own?.arguments] ?? 0;
    const folds = own?.arguments === "text" && row.ignore_case;
    return { subject: row.subject, operator, values: row.values.slice(0, most), span: stretch, ignore_case: folds };
  }

  operator(row, change, kind, key = `${row.id}/operator`) {
    const fitting = this.operatorsFor(kind);
    const own = this.operatorOf(row.operator);
    const all = own && !fitting.includes(own) ? [...fitting, own] : fitting;
    const isTime = TIMES.includes(kind);
    const label = (choice) => (isTime ? choice.time_label : choice.label).split(" ... ")[0];
    const options = all.map((choice) => [choice.key, label(choice)]);
    if (!own) options.unshift([row.operator, row.operator || "choose…"]);
    return select("Operator", key, options, row.operator, (next) => change(this.reshaped(this.now(row), next), { focus: [key] }), { class: "sk-operator" });
  }

  values(row, change, kind, prefix = row.id) {
    const own = this.operatorOf(row.operator);
    if (!own) return [];
    switch (own.arguments) {
      case "value":
      case "text":
        return [this.value(row, change, own.arguments === "text" ? "text" : kind, 0, "Value", prefix), own.arguments === "text" ? this.folding(row, change, prefix) : null];
      case "pair":
        return [this.value(row, change, kind, 0, "From", prefix), h("span", { class: "sk-words" }, "and"), this.value(row, change, kind, 1, "To", prefix)];
      case "values":
        return [this.several(row, change, kind, prefix)];
      case "day":
        return [this.value(row, change, "date", 0, "Day", prefix)];
      case "stretch":
      case "period":
      case "days":
        return this.stretch(row.span ?? emptyStretch(own.stretch), (span, more) => change({ span }, more), kind, prefix);
      default:
        return [];
    }
  }

  folding(row, change, prefix) {
    return h("button", { type: "button", class: "sk-not", "aria-pressed": String(row.ignore_case), "aria-label": "Ignore case", title: "Take capital and small letters for the same", "data-key": `${prefix}/case`, onclick: () => change({ ignore_case: !row.ignore_case }) }, "aA");
  }

  amount(label, key, value, typed) {
    return h("input", { type: "text", inputmode: "numeric", class: "sk-amount", autocomplete: "off", "aria-label": label, "data-key": key, value, oninput: (event) => typed(event.target.value) });
  }

  stretch(span, change, kind, prefix) {
    const key = `${prefix}/amount`;
    const live = { ...span };
    const typed = (part) => (text) => {
      live[part] = text;
      change({ ...live }, { typing: `${prefix}/${part}`, redraw: false });
    };
    const units = this.options.units.filter((unit) => kind !== "date" || !["minutes", "hours"].includes(unit));
    const unit = (part, label) => select(label, `${prefix}/${part}`, units.map((own) => [own, own]), span[part], (own) => change({ ...live, [part]: own }, { focus: [`${prefix}/${part}`] }));
    if (span.kind === "period") {
      const shifts = [["0", "this"], ["-1", "last"], ["1", "next"]];
      if (!shifts.some(([own]) => own === span.amount)) shifts.push([span.amount, `${span.amount} from this`]);
      return [
        select("Which period", key, shifts, span.amount, (own) => change({ ...live, amount: own }, { focus: [key] })),
        select("Period", `${prefix}/unit`, this.options.periods.map((own) => [own, own]), span.unit, (own) => change({ ...live, unit: own }, { focus: [`${prefix}/unit`] })),
      ];
    }
    if (span.kind === "anniversary") {
      return [h("span", { class: "sk-words" }, "today or in the next"), this.amount("Days ahead", key, span.amount, typed("amount")), h("span", { class: "sk-words" }, "days")];
    }
    if (span.kind === "between") {
      return [this.amount("From how long ago", key, span.amount, typed("amount")), unit("unit", "Unit"), h("span", { class: "sk-words" }, "and"),
        this.amount("To how long ago", `${prefix}/to`, span.to, typed("to")), unit("to_unit", "Unit of the nearer end"), h("span", { class: "sk-words" }, "ago")];
    }
    return [this.amount("How long", key, span.amount, typed("amount")), unit("unit", "Unit"), span.kind === "before" ? h("span", { class: "sk-words" }, "ago") : null,
      span.edge ? h("span", { class: "sk-words" }, "or exactly then") : null];
  }

  // ------------------------------------------------------------ values

  value(row, change, kind, number, label, prefix) {
    const key = `${prefix}/value${number}`;
    const entry = row.values[number] ?? { is: "entry", sort: sortOf(kind), text: "", label: "" };
    if (entry.sort === "value") {
      const clear = () => change({ values: row.values.slice(0, number) }, { focus: [key] });
      return h("span", { class: "sk-chip" }, entry.label, tool("remove", `Replace ${entry.label}`, key, clear));
    }
    const put = (text, more) => {
      const values = [...this.now(row).values];
      while (values.length < number) values.push({ is: "entry", sort: sortOf(kind), text: "", label: "" });
      values[number] = { is: "entry", sort: this.sortFor(kind, entry, text), text, label: "" };
      change({ values: text === "" && number >= values.length - 1 ? values.slice(0, number) : values }, more);
    };
    if (entry.sort === "boolean" || (kind === "boolean" && entry.text === "")) {
      return select(label, key, [["", "choose…"], ["true", "true"], ["false", "false"]], entry.text, (text) => put(text, { focus: [key] }));
    }
    const typed = (event) => put(event.target.value, { typing: key, redraw: false });
    const native = this.native(kind, entry.text);
    const input = h("input", { type: native, class: `sk-value${sortOf(kind) === "number" ? " sk-short" : ""}`, "aria-label": label, "data-key": key, autocomplete: "off", value: entry.text, step: native === "datetime-local" ? "1" : null, inputmode: sortOf(kind) === "number" ? "decimal" : null, placeholder: label.toLowerCase(), title: entry.text.length > 20 ? entry.text : null, oninput: typed, "aria-describedby": `${this.own}-${row.id}-reason` });
    if (native === "text") this.suggest(input, row, prefix, (text) => put(text, { focus: [key] }));
    return input;
  }

  sortFor(kind, entry, text) {
    if (entry.sort === "text" && TIMES.includes(kind) && text === entry.text) return "text";
    if (kind === "date") return /^\d{4}-\d\d-\d\d$/.test(text) ? "date" : "timestamp";
    if (sortOf(kind) === "timestamp") return /^\d{4}-\d\d-\d\d$/.test(text) ? "date" : "timestamp";
    return entry.sort === "decimal" ? "decimal" : sortOf(kind);
  }

  native(kind, text) {
    if (kind === "date" && (text === "" || /^\d{4}-\d\d-\d\d$/.test(text))) return "date";
    if (sortOf(kind) === "timestamp" && (text === "" || /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text))) return "datetime-local";
    return "text";
  }

  // A rule as it is now: what is typed is not drawn again.
  now(row) {
    return everyRow(this.draft.root).flatMap((own) => [own, ...filterOf(own)]).find((own) => own.id === row.id) ?? row;
  }

  several(row, change, kind, prefix) {
    const key = `${prefix}/value0`;
    const add = (text) => {
      const values = this.now(row).values;
      const known = values.some((own) => own.text === text);
      if (text.trim() && !known) change({ values: [...values, { is: "entry", sort: this.sortFor(kind, { sort: sortOf(kind) }, text), text, label: "" }] }, { focus: [key] });
    };
    const drop = (at) => change({ values: this.now(row).values.filter((_, i) => i !== at) }, { focus: [key] });
    const shown = row.values.slice(0, 50);
    const input = h("input", {
      type: "text", class: "sk-value", "aria-label": "Add a value", "data-key": key, autocomplete: "off", placeholder: row.values.length ? "add…" : "add a value…",
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.defaultPrevented) {
          event.preventDefault();
          add(event.target.value);
        } else if (event.key === "Backspace" && event.target.value === "" && row.values.length) drop(row.values.length - 1);
      },
      onchange: (event) => add(event.target.value),
    });
    this.suggest(input, row, prefix, add);
    return h("div", { class: "sk-several" },
      shown.map((own, i) => h("span", { class: "sk-chip" }, h("span", { class: "sk-chip-text", title: own.label || own.text }, own.label || visible(own.text)), tool("remove", `Remove ${own.label || own.text}`, `${prefix}/chip${i}`, () => drop(i)))),
      row.values.length > shown.length ? h("span", { class: "sk-words" }, `and ${thousands(row.values.length - shown.length)} more`) : null, input);
  }

  // ------------------------------------------------------------ events

  measure(row, change) {
    const { options } = this;
    const subject = row.subject;
    const own = options.measures.find((each) => each.key === subject.measure);
    const put = (parts, key) => {
      const now = this.now(row);
      change(this.fitted({ ...now, subject: { ...now.subject, ...parts } }, now), { focus: [key] });
    };
    const chosen = (measure) => {
      const of = options.measures.find((each) => each.key === measure).of;
      const numbers = options.properties.filter((each) => NUMBERS.includes(each.kind));
      const usual = (["sum", "avg"].includes(measure) ? numbers : options.properties)[0]?.name ?? "";
      put({ measure, of: of ? subject.of || usual : "" }, `${row.id}/measure`);
    };
    const properties = options.properties.filter((each) => !["sum", "avg"].includes(subject.measure) || NUMBERS.includes(each.kind)).map((each) => [each.name, each.name]);
    if (own?.of && !properties.some(([name]) => name === subject.of)) properties.unshift([subject.of, subject.of || "choose…"]);
    return [
      select("What is measured", `${row.id}/measure`, options.measures.map((each) => [each.key, each.label]), subject.measure, chosen, { class: "sk-measure" }),
      own?.of ? select("Property", `${row.id}/of`, properties, subject.of, (of) => put({ of }, `${row.id}/of`), { class: "sk-of" }) : null,
    ];
  }

  streams(row, change) {
    const subject = row.subject;
    const put = (parts, more) => {
      change({ subject: { ...this.now(row).subject, ...parts } }, more);
    };
    const windows = [["", "at any time"], ["last", "in the last"], ["between", "between"], ["period", "in a calendar period"]];
    const pick = (kind) => {
      const shape = { last: emptyStretch("last"), between: { ...emptyStretch("between"), amount: "60", to: "30" }, period: { ...emptyStretch("period"), amount: "0", unit: "month" } };
      put({ window: kind ? shape[kind] : null }, { focus: [`${row.id}/window`] });
    };
    const window = select("When", `${row.id}/window`, windows, subject.window?.kind ?? "", pick);
    const stretch = subject.window ? this.stretch(subject.window, (own, more) => put({ window: own }, more), "timestamp", `${row.id}/w`) : [];
    const add = () => {
      const id = String(freshId(this.draft));
      put({ filter: [...this.now(row).subject.filter, { ...emptyRule(), id }] }, { focus: [`${id}/subject`], say: "added a filter" });
      this.root.querySelector(`[data-key="${CSS.escape(`${id}/subject`)}"]`)?.click();
    };
    return h("div", { class: "sk-stream" }, h("div", { class: "sk-window" }, window, stretch,
      h("button", { type: "button", class: "sk-button sk-add", "data-key": `${row.id}/filter`, onclick: add }, icon("plus"), "filter")),
    subject.filter.map((rule, i) => this.filter(row, rule, i, put)));
  }

  filter(row, rule, at, put) {
    const now = () => this.now(row).subject.filter;
    const change = (parts, more) => put({ filter: now().map((own, i) => (i === at ? { ...own, ...parts } : own)) }, more);
    const open = (event) => {
      const items = this.options.properties.map((own) => ({ text: own.name, note: kindWord(own.kind), group: "Properties of the event", subject: { is: "field", name: own.name } }));
      this.choose(event.currentTarget, "Property of the event", items, (item) =>
        change(this.fitted({ ...this.now(rule), subject: item.subject }, this.now(rule), true), { focus: [`${rule.id}/value0`, `${rule.id}/operator`] }));
    };
    const kind = rule.subject ? this.kindOf(rule.subject, rule.id, true) : "";
    return h("div", { class: "sk-filter", role: "group", "aria-label": "Filter on a property of the event" },
      h("span", { class: "sk-words" }, at ? "and" : "where"), rule.negated ? h("span", { class: "sk-words" }, "not") : null,
      h("button", { type: "button", class: `sk-pick${rule.subject ? "" : " sk-blank"}`, "aria-haspopup": "listbox", "data-key": `${rule.id}/subject`, onclick: open }, h("span", { class: "sk-pick-name" }, rule.subject ? this.subjectText(rule.subject) : "property…"), kind ? h("span", { class: "sk-kind" }, kindWord(kind)) : null),
      rule.subject ? [this.operator(rule, change, kind), ...this.values(rule, change, kind, rule.id)] : null,
      tool("remove", "Remove the filter", `${rule.id}/remove`, () => put({ filter: now().filter((_, i) => i !== at) }, { focus: [`${row.id}/filter`], say: "removed the filter" })),
    );
  }

  // ------------------------------------------------------------ choosing from a list

  choose(anchor, label, items, pick, none = "nothing fits") {
    const back = anchor.dataset.key;
    const search = h("input", { type: "text", class: "sk-search", autocomplete: "off", "aria-label": label, placeholder: "type to search", "data-key": "search" });
    const finish = (item) => {
      this.shut();
      (this.root.querySelector(`[data-key="${CSS.escape(back)}"]`) ?? anchor).focus();
      if (item) pick(item);
    };
    const fill = () => {
      const words = search.value.toLowerCase().split(/[\s_]+/).filter(Boolean);
      const found = items.filter((item) => words.every((word) => `${item.text} ${item.note ?? ""}`.toLowerCase().includes(word)));
      this.list(search, found, finish, none);
    };
    this.shut();
    this.pop.replaceChildren(search);
    search.addEventListener("input", fill);
    search.addEventListener("focusout", (event) => {
      if (!this.pop.contains(event.relatedTarget)) this.shut();
    });
    this.show(anchor, search, () => finish(null));
    fill();
    search.focus();
  }

  suggest(input, row, prefix, pick) {
    const subject = row.subject;
    const path = this.pathOf(prefix);
    const event = path ? null : everyRow(this.draft.root).find((own) => filterOf(own).some((rule) => rule.id === row.id))?.subject.event;
    const name = subject?.is === "field" ? subject.name : null;
    if (name === null) return;
    const key = JSON.stringify([name, event ?? null]);
    const fill = async () => {
      if (!this.suggestions.has(key)) this.suggestions.set(key, this.ask("suggest", { name, event: event ?? null }));
      const answer = await this.suggestions.get(key);
      if (!answer.values?.length || this.root.getRootNode().activeElement !== input) return;
      const word = input.value.toLowerCase();
      const found = answer.values.filter((own) => own.text !== "" && own.text.toLowerCase().includes(word)).map((own) => ({ text: own.text, shown: visible(own.text), note: thousands(own.count) }));
      const exact = found.length === 1 && found[0].text === input.value;
      this.shut();
      if (!found.length || exact) return;
      this.pop.replaceChildren();
      this.show(input, input, () => this.shut());
      this.list(input, found, (item) => {
        this.shut();
        pick(item.text);
      }, "");
    };
    Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false" }).forEach(([own, value]) => input.setAttribute(own, value));
    input.addEventListener("focus", () => this.quiet || fill());
    input.addEventListener("input", fill);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && !event.altKey && !this.anchor) fill();
    });
    input.addEventListener("blur", () => this.shut());
  }

  show(anchor, input, cancel) {
    this.anchor = anchor;
    this.holder = input;
    this.onKeys = (event) => this.listKeys(event, cancel);
    input.addEventListener("keydown", this.onKeys);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "true");
    input.setAttribute("aria-controls", `${this.own}-list`);
    this.pop.showPopover?.();
    this.pop.classList.add("sk-open");
    this.place();
  }

  place() {
    const box = this.anchor.getBoundingClientRect();
    const below = window.innerHeight - box.bottom;
    const height = Math.min(320, Math.max(below, box.top) - 12);
    Object.assign(this.pop.style, { left: `${Math.max(4, Math.min(box.left, window.innerWidth - 290))}px`, maxHeight: `${height}px`, minWidth: `${Math.max(220, box.width)}px`, top: "auto", bottom: "auto" });
    if (below >= Math.min(220, height) || below >= box.top) this.pop.style.top = `${box.bottom + 3}px`;
    else this.pop.style.bottom = `${window.innerHeight - box.top + 3}px`;
  }

  list(input, items, pick, none) {
    this.items = items;
    this.pick = pick;
    let group = null;
    const list = h("ul", { role: "listbox", id: `${this.own}-list`, "aria-label": input.getAttribute("aria-label") });
    items.forEach((item, i) => {
      if (item.group && item.group !== group) list.append(h("li", { role: "presentation", class: "sk-list-group" }, (group = item.group)));
      list.append(h("li", { role: "option", id: `${this.own}-option${i}`, "aria-selected": "false", onmousedown: (event) => event.preventDefault(), onclick: () => pick(item) },
        h("span", { class: "sk-list-text" }, item.shown ?? item.text), item.note ? h("span", { class: "sk-kind" }, item.note) : null));
    });
    if (!items.length) list.append(h("li", { role: "presentation", class: "sk-list-group" }, none));
    this.pop.querySelector("ul")?.remove();
    this.pop.append(list);
    this.mark(input === this.pop.querySelector(".sk-search") && items.length ? 0 : -1);
  }

  mark(at) {
    this.at = at;
    this.pop.querySelectorAll("[role=option]").forEach((option, i) => {
      option.setAttribute("aria-selected", String(i === at));
      if (i === at) option.scrollIntoView({ block: "nearest" });
    });
    if (at >= 0) this.holder?.setAttribute("aria-activedescendant", `${this.own}-option${at}`);
    else this.holder?.removeAttribute("aria-activedescendant");
  }

  listKeys(event, cancel) {
    if (event.altKey) return;
    const most = this.items?.length ?? 0;
    if (event.key === "ArrowDown" && most) this.mark((this.at + 1) % most);
    else if (event.key === "ArrowUp" && most) this.mark((this.at + most - 1) % most);
    else if (event.key === "Enter" && this.at >= 0) this.pick(this.items[this.at]);
    else if (event.key === "Escape") cancel();
    else if (event.key === "Tab") return void (this.pop.contains(event.target) ? cancel() : this.shut());
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  shut() {
    if (!this.anchor) return;
    this.holder?.removeEventListener("keydown", this.onKeys);
    this.holder?.setAttribute("aria-expanded", "false");
    this.holder?.removeAttribute("aria-activedescendant");
    this.holder?.removeAttribute("aria-controls");
    this.anchor = this.holder = null;
    this.pop.classList.remove("sk-open");
    this.pop.hidePopover?.();
    this.pop.replaceChildren();
  }

  // ------------------------------------------------------------ dragging

  drag() {
    let from = null;
    let target = null;
    const clear = () => this.tree.querySelectorAll(".sk-drop-before, .sk-drop-after, .sk-drop-into").forEach((node) => node.classList.remove("sk-drop-before", "sk-drop-after", "sk-drop-into"));
    this.tree.addEventListener("dragstart", (event) => {
      const row = event.target.closest?.(".sk-grip")?.closest("[data-row]");
      if (!row) return;
      from = row.dataset.row;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", "");
      event.dataTransfer.setDragImage(row, 8, 8);
      row.classList.add("sk-dragged");
    });
    this.tree.addEventListener("dragover", (event) => {
      if (from === null) return;
      clear();
      target = this.dropAt(event, from);
      if (!target) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
      target.node.classList.add(target.mark);
    });
    this.tree.addEventListener("drop", (event) => {
      if (from === null || !target) return;
      event.preventDefault();
      const id = from;
      const { into, at } = target;
      clear();
      from = target = null;
      this.edit("move", [this.pathOf(id), into, at], { focus: [`${id}/grip`], say: "moved" });
    });
    this.tree.addEventListener("dragend", () => {
      clear();
      from = target = null;
      this.tree.querySelectorAll(".sk-dragged").forEach((node) => node.classList.remove("sk-dragged"));
    });
  }

  dropAt(event, from) {
    const dragged = this.pathOf(from);
    const end = event.target.closest?.("[data-end]");
    const inside = (path) => dragged.every((step, i) => path[i] === step);
    if (end) {
      const into = this.pathOf(end.dataset.end);
      return inside(into) ? null : { into, at: rowAt(this.draft, into).items.length, node: end, mark: "sk-drop-into" };
    }
    const node = event.target.closest?.("[data-row]");
    const path = node && this.pathOf(node.dataset.row);
    if (!path || inside(path)) return null;
    const group = node.classList.contains("sk-group");
    const line = group ? node.firstElementChild : node;
    const box = line.getBoundingClientRect();
    const share = (event.clientY - box.top) / Math.max(1, box.height);
    if (group && (!path.length || share > 0.5)) return { into: path, at: 0, node: line, mark: "sk-drop-after" };
    const [into, at] = placed(path);
    return share < 0.5 ? { into, at, node: line, mark: "sk-drop-before" } : { into, at: at + 1, node: line, mark: "sk-drop-after" };
  }

  // ------------------------------------------------------------ what the kernel says

  stale() {
    this.root.classList.add("sk-waiting");
  }

  patch() {
    const seen = this.seen;
    const current = seen.revision === this.draft.revision;
    const waiting = !current || seen.waiting;
    this.root.classList.toggle("sk-waiting", Boolean(waiting));
    const rows = new Map(everyRow(this.draft.root).map((row) => [row.id, row]));
    for (const [id, part] of this.parts) this.patchRow(rows.get(id), part, current, waiting);
    if (!current) return;
    this.patchTotal(seen, waiting);
    if (waiting) return;
    this.counted = seen;
    this.refreshTab();
  }

  patchRow(row, part, current, waiting) {
    if (!row) return;
    if (!current || waiting) this.patchSize(row, part, this.counted);
    const seen = this.seen;
    const note = (current ? seen : this.counted).rows?.[row.id] ?? {};
    part.bounds.textContent = note.bounds ?? "";
    part.hint.textContent = note.hint ?? "";
    part.reason.textContent = note.reason ? `${note.reason.what}${note.reason.fix ? `: ${note.reason.fix}` : ""}` : "";
    part.reason.parentElement.parentElement.classList.toggle("sk-invalid", Boolean(note.reason));
    if (!waiting) this.patchSize(row, part, seen);
  }

  patchSize(row, part, { sizes, everyone }) {
    const size = sizes?.[row.id];
    const blank = (row.is === "rule" && !row.subject) || (isGroup(row) && !row.items.length && row !== this.draft.root);
    const known = typeof size === "number" && !blank && !row.muted;
    const isLeftOut = part.number.closest(".sk-muted") !== null;
    part.number.textContent = row.muted ? "muted" : known ? thousands(size) : blank || isLeftOut ? "" : "–";
    part.number.title = known && everyone ? `${percent(size / everyone)} of ${thousands(everyone)} contacts` : "";
    part.bar.classList.toggle("sk-none", !known);
    part.bar.firstChild.style.width = known && everyone ? `${Math.max(size ? 1 : 0, (100 * size) / everyone)}%` : "0";
  }

  patchTotal(seen, waiting) {
    const faults = seen.faults ? `${seen.faults} ${seen.faults === 1 ? "part is" : "parts are"} not finished` : "";
    this.problem.textContent = seen.problem ? `${seen.problem.what}${seen.problem.fix ? `: ${seen.problem.fix}` : ""}` : "";
    if (waiting) return;
    const known = typeof seen.size === "number";
    this.total.textContent = known ? thousands(seen.size) : "–";
    this.totalShare.textContent = known ? `of ${thousands(seen.everyone)} contacts${seen.everyone ? ` (${percent(seen.size / seen.everyone)})` : ""}, as of ${this.options.as_of}` : faults || "not counted";
    this.totalBar.firstChild.style.width = known && seen.everyone ? `${(100 * seen.size) / seen.everyone}%` : "0";
  }

  // ------------------------------------------------------------ tabs

  drawTabs() {
    const turn = (event) => {
      const at = TABS.findIndex(([own]) => own === this.tab);
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step || event.altKey) return;
      event.preventDefault();
      this.open(TABS[(at + step + TABS.length) % TABS.length][0]);
    };
    this.tabButtons = TABS.map(([own, word]) => h("button", { type: "button", role: "tab", id: `${this.own}-tab-${own}`, "aria-controls": `${this.own}-tabpanel`, "data-key": `tab/${own}`, onclick: () => this.open(own) }, word));
    this.tabPanel = h("div", { class: "sk-tabpanel", role: "tabpanel", id: `${this.own}-tabpanel`, tabindex: "0", "data-key": "tabpanel" });
    this.footer.append(h("div", { role: "tablist", class: "sk-tablist", "aria-label": "What was built", onkeydown: turn }, this.tabButtons), this.tabPanel);
    this.open(this.tab, false);
  }

  open(tab, focus = true) {
    this.tab = tab;
    this.tabButtons.forEach((button, i) => {
      const own = TABS[i][0] === tab;
      button.setAttribute("aria-selected", String(own));
      button.tabIndex = own ? 0 : -1;
      if (own && focus) button.focus();
    });
    this.tabPanel.setAttribute("aria-labelledby", `${this.own}-tab-${tab}`);
    this.tabFor = null;
    this.tabPanel.replaceChildren();
    this.refreshTab();
  }

  refreshTab() {
    const wanted = `${this.tab} ${this.draft.revision} ${this.dialect} ${this.masked} ${this.contact}`;
    if (this.tabFor === wanted || (this.tab === "text" && this.tabPanel.contains(this.root.getRootNode().activeElement) && this.textTouched)) return;
    this.tabFor = wanted;
    clearTimeout(this.asking);
    this.asking = setTimeout(async () => {
      const revision = this.draft.revision;
      const answer = await this.ask(this.tab, { dialect: this.dialect, masked: this.masked, contact: this.contact });
      if (this.tabFor === wanted && revision === this.draft.revision) this.fillTab(answer);
    }, this.tabPanel.childElementCount ? 120 : 0);
  }

  fillTab(answer) {
    const active = this.focused();
    const tab = this.tab;
    const failed = answer.error ? h("p", { class: "sk-reason" }, `${answer.error.what}${answer.error.fix ? `: ${answer.error.fix}` : ""}`) : null;
    const draw = { preview: () => this.previewTab(answer, failed), text: () => this.textTab(answer, failed), sql: () => this.sqlTab(answer, failed),
      diagnose: () => this.diagnoseTab(answer, failed), explain: () => this.explainTab(answer, failed) }[tab]
      ?? (() => [failed ?? (tab === "description" ? h("p", { class: "sk-told" }, answer.text) : this.code(answer.text))]);
    this.tabPanel.replaceChildren(...draw().flat().filter(Boolean));
    if (active?.key) this.root.querySelector(`[data-key="${CSS.escape(active.key)}"]`)?.focus({ preventScroll: true });
  }

  code(text, before = null) {
    const copied = async () => {
      try {
        await navigator.clipboard.writeText(text);
        this.say("copied");
      } catch {
        const range = document.createRange();
        range.selectNodeContents(pre);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        this.say("selected: copy it with Ctrl+C");
      }
    };
    const pre = h("pre", { class: "sk-code", tabindex: "0", "aria-label": "Code", "data-key": "code" }, text);
    return [h("div", { class: "sk-code-tools" }, before, h("button", { type: "button", class: "sk-button", "data-key": "copy", onclick: copied }, "Copy")), pre];
  }

  sqlTab(answer, failed) {
    const dialects = this.options.dialects;
    const pick = (own) => {
      this.dialect = own;
      this.refreshTab();
    };
    const names = dialects.map((own) => [own.name, own.level.startsWith("unverified") ? `${own.name} (unverified)` : own.name]);
    const picker = h("label", { class: "sk-label" }, "Dialect ", select("Dialect", "dialect", names, this.dialect ?? this.options.dialect, pick));
    return failed ? [h("div", { class: "sk-code-tools" }, picker), failed] : this.code(answer.text, picker);
  }

  previewTab(answer, failed) {
    const tools = h("div", { class: "sk-code-tools" }, this.masking());
    if (failed) return [tools, failed];
    const cell = (tag, text, i, more = {}) => h(tag, { class: answer.numeric[i] ? "sk-right" : null, ...more }, text);
    const shown = answer.rows.length;
    const size = this.seen.size;
    if (!shown) return [tools, h("p", { class: "sk-words" }, "nobody is in it")];
    tools.append(h("span", { class: "sk-words" }, shown === size ? `all ${shown}` : `the first ${shown} of ${thousands(size ?? shown)}`));
    return [tools, h("div", { class: "sk-table", tabindex: "0", role: "region", "aria-label": "The first members", "data-key": "table" }, h("table", {},
      h("thead", {}, h("tr", {}, answer.columns.map((name, i) => cell("th", name, i, { scope: "col" })))),
      h("tbody", {}, answer.rows.map((row) => h("tr", {}, row.map((text, i) => cell("td", text, i)))))))];
  }

  diagnoseTab(answer, failed) {
    if (failed) return [failed];
    const found = answer.findings;
    if (!found.length) return [h("p", { class: "sk-words" }, "nothing is wrong, as far as one can see")];
    const marks = { error: "✗", warning: "!", advice: "i" };
    const counts = Object.keys(marks).map((own) => [own, found.filter((one) => one.severity === own).length]).filter(([, n]) => n);
    const words = counts.map(([own, n]) => `${n} ${own}${n > 1 && own !== "advice" ? "s" : ""}`).join(", ");
    const mark = (own) => h("span", { class: `sk-mark sk-mark-${own}`, role: "img", "aria-label": own, title: own }, marks[own]);
    return [h("p", { class: "sk-words" }, words), this.table("What is wrong", ["condition", "what is wrong", "how we know", "what to do"],
      found.map((one) => [h("span", {}, mark(one.severity), " ", h("code", {}, one.condition)), one.what, one.evidence, one.fix]))];
  }

  explainTab(answer, failed) {
    const key = h("input", { type: "text", class: "sk-input", "data-key": "contact", "aria-label": "Key of the contact", value: this.contact, spellcheck: "false", onchange: (event) => {
      this.contact = event.target.value.trim();
      this.refreshTab();
    } });
    const tools = h("div", { class: "sk-code-tools" }, h("label", { class: "sk-label" }, "Contact ", key), this.masking());
    if (failed) return [tools, failed];
    if (!answer.rows) return [tools, h("p", { class: "sk-words" }, "type the key of a contact, as the preview shows it, and press Enter")];
    const mark = (row) => h("span", { class: `sk-mark sk-mark-${row.holds ? "yes" : "no"}`, role: "img", "aria-label": row.holds ? "holds" : "does not hold" }, row.holds ? "✓" : "✗");
    const named = (row) => h("span", { class: row.decides ? "sk-decides" : null, style: `padding-left: ${1.2 * Math.min(row.depth, 12)}em` }, mark(row), " ", h("code", {}, row.condition), row.decides && row.asked ? " decides" : null);
    return [tools, h("ul", { class: "sk-said" }, answer.lines.map((line) => h("li", {}, line))),
      this.table("What each condition found", ["condition", "found", "asked for", "what would turn it", "turns by itself"],
        answer.rows.map((row) => [named(row), row.found, row.asked, row.change, row.changes]))];
  }

  masking() {
    const mask = h("input", { type: "checkbox", "data-key": "mask", checked: this.masked, onchange: (event) => {
      this.masked = event.target.checked;
      this.refreshTab();
    } });
    return h("label", { class: "sk-label" }, mask, " mask e-mail addresses");
  }

  // A table of prose; a column in which nothing stands is left out.
  table(label, columns, rows) {
    const kept = columns.map((_, i) => i).filter((i) => rows.some((row) => row[i] !== ""));
    const head = kept.map((i) => h("th", { scope: "col" }, columns[i]));
    return h("div", { class: "sk-table sk-prose", tabindex: "0", role: "region", "aria-label": label, "data-key": "table" }, h("table", {},
      h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, rows.map((row) => h("tr", {}, kept.map((i) => h("td", {}, row[i])))))));
  }

  textTab(answer, failed) {
    this.textTouched = false;
    const area = h("textarea", { class: "sk-code sk-text", rows: String(Math.max(4, (answer.text ?? "").split("\n").length + 1)), "aria-label": "The condition as text", spellcheck: "false", "data-key": "text", value: answer.text ?? "", oninput: () => (this.textTouched = true) });
    const errors = h("pre", { class: "sk-reason sk-caret", role: "alert" });
    const apply = async () => {
      const found = await this.ask("parse", { text: area.value });
      this.textTouched = Boolean(found.error);
      errors.textContent = found.error ? [found.error.what, found.error.where, found.error.fix && `fix: ${found.error.fix}`].filter(Boolean).join("\n") : "";
      if (!found.error) this.say("applied");
    };
    const keys = (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        apply();
      }
    };
    area.addEventListener("keydown", keys);
    const button = h("button", { type: "button", class: "sk-button", "data-key": "apply", onclick: apply }, "Apply (Ctrl+Enter)");
    return [failed, area, h("div", { class: "sk-code-tools" }, button, h("span", { class: "sk-words" }, "replaces all rows, muted ones too; undo brings them back")), errors];
  }
}

const GROUPS = ["Fields", "Calculated fields", "Events", "Lists", "Segments"];

export default {
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.close();
  },
};

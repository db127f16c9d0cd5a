// What a person reads on panels, as Grafana's own code has it: `node read.js NODE_MODULES`, where @grafana/data and jsdom
// are installed in NODE_MODULES. It answers each line of its input, a JSON list of {panel, frames}, with a line: a JSON
// list of what is read on each panel, [{name, text, colour, hex, threshold}, ...] (tests/reads/__init__.py says what
// these are).
//
// What Grafana does outside of its packages is written out here, no more than is needed: the defaults of panels, what
// the Prometheus data source makes of a table, what a panel says that got no data, which cells have a colour.
"use strict";
const readline = require("readline");
const { createRequire } = require("module");

for (const method of ["log", "info", "warn", "error", "debug"]) console[method] = () => {};
const load = createRequire(`${process.argv[2]}/`);
const { window } = new (load("jsdom").JSDOM)("", { url: "http://localhost" });
const { document, navigator, localStorage } = window;
for (const [name, value] of Object.entries({ window, document, navigator, localStorage }))
  Object.defineProperty(globalThis, name, { value, configurable: true });
const grafana = load("@grafana/data");

const theme = grafana.createTheme();
const hex = (colour) => grafana.colorManipulator.asHexString(theme.visualization.getColorByName(colour)).toLowerCase();
const names = new Map(theme.visualization.hues.flatMap((hue) => hue.shades.map((s) => [hex(s.name), s.name])));
names.set(hex("text"), "text");
names.set(hex("transparent"), "transparent");
names.set(hex(theme.colors.text.secondary), "secondary");
const named = (colour) => colour && (names.get(hex(colour)) ?? hex(colour));
const list = (values) => Array.from(values.toArray ? values.toArray() : values);
const shown = (name, text, colour) => ({ name, text, colour: named(colour) ?? null, hex: (colour && hex(colour)) ?? null });
const replaceVariables = (text) => text;

// Up to Grafana 12 a transformation is registered itself, from 13 on as a function that returns it: this is both.
const lazy = ({ id, operator, defaultOptions }, whole) => Object.assign(() => whole, { id, operator, defaultOptions });
const transformers = new Map(Object.values(grafana.standardTransformers).map((t) => [t.id, t]));
grafana.standardTransformersRegistry.setInit(() =>
  [...transformers.values()].map((t) => ({ id: t.id, name: t.name, transformation: lazy(t, t) })),
);

const STANDARD = ["unit", "min", "max", "decimals", "displayName", "noValue", "color", "thresholds", "mappings", "links"];
const COLOURS = { timeseries: "palette-classic", "state-timeline": "continuous-GrYlRd" };

// Returns the field configuration as a panel gets it: with what is not stated in the JSON, which is the same as in the
// plugins of Grafana, and with the first step of thresholds reaching down to -Infinity, whatever is stated.
function filled({ type, fieldConfig = {} }) {
  const { defaults = {}, overrides = [] } = structuredClone(fieldConfig);
  defaults.color ??= { mode: COLOURS[type] ?? "thresholds" };
  defaults.mappings ??= [];
  defaults.thresholds ??= { mode: "absolute", steps: [{ color: "green" }, { color: "red", value: 80 }] };
  const properties = overrides.flatMap((override) => override.properties);
  const thresholds = properties.filter((p) => p.id === "thresholds").map((p) => p.value);
  for (const { steps } of [defaults.thresholds, ...thresholds]) if (steps.length) steps[0].value = -Infinity;
  return { defaults, overrides };
}

// Returns what fields can be configured with: the standard properties, and those of the panel's plugin that it states.
function registry({ defaults, overrides }) {
  const overridden = overrides.flatMap((o) => o.properties.map((p) => p.id)).filter((id) => id.startsWith("custom."));
  const custom = new Set([...Object.keys(defaults.custom ?? {}), ...overridden.map((id) => id.slice("custom.".length))]);
  const made = new grafana.FieldConfigOptionsRegistry();
  const common = { process: (value) => value, shouldApply: () => true, settings: {} };
  for (const id of STANDARD) made.register({ id, path: id, name: id, ...common });
  for (const path of custom) made.register({ id: `custom.${path}`, path, name: path, isCustom: true, ...common });
  return made;
}

const number = (value) => (value === null ? null : Number(value));
const time = (values) => ({ name: "Time", type: "time", values: values.map((_, n) => (n - values.length) * 60_000) });
const legend = (format, labels) => format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? "");

// Returns the data frame of a series; a query without any has one without fields.
function series(panel, { ref, labels, values }) {
  if (values === null) return grafana.toDataFrame({ refId: ref, fields: [] });
  const format = panel.targets.find((target) => target.refId === ref).legendFormat;
  const config = format ? { displayNameFromDS: legend(format, labels) } : {};
  const field = { name: "Value", type: "number", labels, config, values: values.map(number) };
  return grafana.toDataFrame({ refId: ref, fields: [time(values), field] });
}

// Returns one data frame for each query, with a column for each label, as Prometheus' data source does it. All queries
// are asked at one time, so that rows with the same labels can be merged.
function table(frames) {
  const refs = [...new Set(frames.map((frame) => frame.ref))];
  return refs.map((refId) => {
    const rows = frames.filter((frame) => frame.ref === refId && frame.values !== null);
    const labels = [...new Set(rows.flatMap((row) => Object.keys(row.labels).sort()))];
    const column = (name) => ({ name, type: "string", values: rows.map((row) => row.labels[name] ?? "") });
    const name = refs.length > 1 ? `Value #${refId}` : "Value";
    const value = { name, type: "number", values: rows.map((row) => number(row.values.at(-1))) };
    const at = { name: "Time", type: "time", values: rows.map(() => 0) };
    return grafana.toDataFrame({ refId, fields: [at, ...labels.map(column), value] });
  });
}

function transformed(transformations, data) {
  return new Promise((resolve, error) => {
    grafana.transformDataFrame(transformations, data, { interpolate: replaceVariables }).subscribe({ next: resolve, error });
  });
}

async function read({ panel, frames }) {
  const fieldConfig = filled(panel);
  const isTable = panel.type === "table";
  const raw = isTable ? table(frames) : frames.map((frame) => series(panel, frame));
  const data = grafana.applyFieldOverrides({
    data: await transformed(panel.transformations ?? [], raw),
    fieldConfig,
    fieldConfigRegistry: registry(fieldConfig),
    replaceVariables,
    theme,
    timeZone: "utc",
  });
  if (panel.options.reduceOptions) return numbers(panel.options, fieldConfig, data);
  const fields = data.flatMap((frame) => frame.fields.map((field) => ({ frame, field })));
  const read = fields.filter(({ field }) => field.type !== "time" && field.values.length);
  if (!read.length) return [shown("", fieldConfig.defaults.noValue ?? "No data", theme.colors.text.secondary)];
  const kind = { table: cells, timeseries: lines, "state-timeline": states }[panel.type];
  return read.flatMap(({ frame, field }) => kind(grafana.getFieldDisplayName(field, frame, data), field, panel));
}

// Stats, gauges and bar gauges.
function numbers(options, fieldConfig, data) {
  const asked = { fieldConfig, reduceOptions: options.reduceOptions, replaceVariables, theme, data, timeZone: "utc" };
  return grafana.getFieldDisplayValues(asked).map(({ display }) => {
    const colour = options.colorMode === "none" ? "text" : display.color;
    return shown(display.title ?? "", grafana.formattedValueToString(display), colour);
  });
}

function cells(name, field) {
  const coloured = field.config.custom?.cellOptions?.type?.startsWith("color-");
  return list(field.values).map((value) => {
    const display = field.display(value);
    return shown(name, grafana.formattedValueToString(display), coloured ? display.color : null);
  });
}

function lines(name, field) {
  const line = grafana.getFieldSeriesColor(field, theme).color;
  const drawn = (field.config.custom?.thresholdsStyle?.mode ?? "off") !== "off";
  return list(field.values).map((value) => {
    const step = drawn && Number.isFinite(value) && grafana.getActiveThreshold(value, field.config.thresholds.steps);
    return { ...shown(name, grafana.formattedValueToString(field.display(value)), line), threshold: step ? step.color : null };
  });
}

// A state timeline that merges values by their thresholds says these, whatever the mappings say (TimelineChart/utils.ts).
function states(name, field, panel) {
  const merged = panel.options.mergeValues && field.config.color.mode === "thresholds";
  return list(field.values).map((value) => {
    const display = field.display(value);
    if (!merged || value === null) return shown(name, grafana.formattedValueToString(display), display.color);
    const step = grafana.getActiveThreshold(value, field.config.thresholds.steps);
    return shown(name, `${step.value}+`, step.color);
  });
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const answer = await Promise.all(JSON.parse(line).map((each) => read(each).catch((error) => ({ error: error.stack }))));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
})();

/* SPDX-License-Identifier: ISC */
/* The page's program with a document that remembers what it is told, and a
 * management that answers from a table. Run by web-t.sh. */
"use strict";
const fs = require("fs");
const vm = require("vm");

let count = 0;
function is(got, want, what) {
	const good = JSON.stringify(got) === JSON.stringify(want);
	console.log((good ? "ok " : "not ok ") + ++count + " - " + what);
	if (!good)
		console.log("# got:  " + JSON.stringify(got) +
			"\n# want: " + JSON.stringify(want));
}

class Element {
	constructor() {
		this.children = [];
		this.textContent = "";
		this.hidden = true;
		this.classList = { add() {}, remove() {} };
	}
	append(child) { this.children.push(child); }
	replaceChildren(...children) { this.children = children; }
	addEventListener() {}
}
const elements = {};
const document = {
	getElementById: (id) => elements[id] = elements[id] || new Element(),
	createElement: () => new Element(),
	body: new Element(),
};
function rows(id) {
	return elements[id].children.map((row) =>
		row.children.map((cell) => cell.textContent));
}

const server = (node, name, state) => ({ node, name, state, pool: "rec",
	address: "192.0.2.1:53", reason: "", order: 1, weight: 2, qps: "7.0",
	qps_limit: name === "r1" ? 50 : 0, queries: 9, timeouts: 1,
	latency_ms: "0.5" });
const answers = {
	"status": { vips: [], anycast: [], nodes: [], alarms: [], pending: 0,
		generation: 1, version: "x" },
	"history": [],
	"servers": { errors: [], rows: [server("fe1", "r1", "up"),
		server("fe2", "r2", "DOWN")] },
	"rules": { errors: [], rows: [
		{ rule: "walled", action: "drop", match: "all", queries: 2 },
		{ rule: "walled", action: "drop", match: "all", queries: 3 },
		{ rule: "any", action: "drop", match: "(built in)",
			queries: 0 }] },
	"block.list": { errors: [{ node: "fe3", error: "gone" }], blocks: [
		{ kind: "suffix", target: "<b>.", action: "drop",
			reason: "manual", left_s: 9, queries: 4,
			spares_proven: false, nodes: ["fe1", "fe2"] },
		{ kind: "source", target: "192.0.2.1/32", action: "tc",
			reason: "rate", left_s: 5, queries: 1,
			spares_proven: true, nodes: ["fe1"] }] },
};
const context = vm.createContext({ document, JSON, Map, Date, Array, String,
	setTimeout: () => 1, clearTimeout() {},
	sessionStorage: { getItem: () => "t", setItem() {}, removeItem() {} },
	fetch: async (path, request) => {
		const { verb, args } = JSON.parse(request.body);
		const result = answers[args.what || verb];
		return { status: 200, json: async () => result ?
			{ ok: true, result } : { ok: false, error: "none" } };
	} });
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), context);

setImmediate(() => setImmediate(() => setImmediate(async () => {
	is(rows("backends"), [
		["rec", "r1", "192.0.2.1:53", "fe1", "up", "1", "2", "50/s",
			"7.0", "9", "1", "0.5 ms"],
		["rec", "r2", "192.0.2.1:53", "fe2", "DOWN", "1", "2", "none",
			"7.0", "9", "1", "0.5 ms"]],
	"backends of each frontend");
	is(elements.backends.children.map((r) => r.children[4].className),
		["good", "bad"], "in colours");
	is(rows("rules"), [["walled", "all", "drop", "5"]],
		"a rule once, with the hits of all; built-in ones that did " +
		"nothing are left out");
	is(rows("blocks"), [
		["<b>. and below", "drop", "manual", "9", "4", "fe1, fe2"],
		["192.0.2.1/32", "tc, without proof of address", "rate", "5",
			"1", "fe1"]], "blocks, as text");
	is(elements.unasked.children.map((c) => c.textContent),
		["not asked: fe3: gone"], "who was not asked");
	is(elements.frontends.hidden, false, "they are shown");
	delete answers.servers;
	await context.refreshFrontends();
	is(elements.frontends.hidden, true, "no frontend answers: hidden");
	console.log("1.." + count);
})));

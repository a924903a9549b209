/* SPDX-License-Identifier: ISC */
/* Status of the fleet, asked for every 2 s. Texts are set as text only. */
"use strict";

const $ = (id) => document.getElementById(id);
const ASK_MS = 2000;
const ASK_FRONTENDS_MS = 10000; /* each is asked three questions */
let token = sessionStorage.getItem("token") || "";
let timer = 0, frontendTimer = 0;

async function call(verb, args) {
	const reply = await fetch("/api/v1/call", {
		method: "POST",
		headers: { "Authorization": "Bearer " + token },
		body: JSON.stringify({ verb: verb, args: args || {} }),
	});
	if (reply.status === 401)
		throw new Error("denied");
	const answer = await reply.json();
	if (!answer.ok)
		throw new Error(answer.error);
	return answer.result;
}

function element(tag, text, className) {
	const e = document.createElement(tag);
	e.textContent = text;
	if (className)
		e.className = className;
	return e;
}

/* rows: lists of cells; a cell is a text or [text, class]. */
function fill(id, rows) {
	$(id).replaceChildren(...rows.map((row) => {
		const tr = document.createElement("tr");
		for (const cell of row)
			tr.append(Array.isArray(cell) ?
				element("td", cell[0], cell[1]) :
				element("td", cell));
		return tr;
	}));
}

function list(id, texts, none, className) {
	const items = texts.length ?
		texts.map((t) => element("li", t, className)) :
		[element("li", none)];
	$(id).replaceChildren(...items);
}

function verdict(text, good) {
	$("verdict").textContent = text;
	$("verdict").className = good ? "good" : "bad";
}

function seen(s) {
	return s === null ? "never" : s + " s ago";
}

function showStatus(status) {
	const bad = ["lost", "failed", "behind"];
	fill("vips", status.vips.map((v) => [v.ip, v.instances.join(", "),
		v.split_brain ? ["split brain: " + v.owners.join(", "), "bad"] :
		v.owner ? v.owner : ["nobody is known to own it", "bad"]]));
	fill("anycast", status.anycast.map((a) => [a.name,
		a.addresses.length ? a.addresses.join(", ") : "vip " + a.vip,
		a.announced_by.length ? a.announced_by.join(", ") :
		["nobody announces it", "bad"]]));
	$("anycast-section").hidden = !status.anycast.length;
	fill("nodes", status.nodes.map((n) => [n.name, n.roles.join(", "),
		[n.state, bad.includes(n.state) ? "bad" : "good"],
		n.have + " of " + n.want, seen(n.last_seen_s), n.version]));
	list("alarms", status.alarms, "none", "bad");
	const orphan = status.vips.filter((v) => !v.owner).length;
	if (status.alarms.length)
		verdict("! " + status.alarms[0], false);
	else if (orphan)
		verdict("! " + orphan + " address without owner", false);
	else
		verdict("OK, generation " + status.generation +
			(status.pending ? ", " + status.pending +
			" changes pending" : ""), true);
	$("about").textContent = "ispdns " + status.version;
}

function showHistory(history) {
	fill("history", history.map((g) => [String(g.generation),
		new Date(g.ts * 1000).toISOString().replace(".000Z", "Z"),
		g.author,
		[g.state, g.state === "done" || g.state === "running" ?
			"good" : "bad"], g.message]));
}

function showChanges(diff) {
	list("changes", diff.changes.slice(0, 200).map((c) => c.op + " " +
		c.kind + " " + c.key + (c.detail.length ?
		": " + c.detail.join("; ") : "")), "none");
}

function showBackends(rows) {
	fill("backends", rows.map((b) => [b.pool, b.name, b.address, b.node,
		[b.state + (b.reason ? " (" + b.reason + ")" : ""),
			b.state.toLowerCase() === "up" ? "good" : "bad"],
		String(b.order), String(b.weight),
		b.qps_limit ? b.qps_limit + "/s" : "none", b.qps,
		String(b.queries), String(b.timeouts), b.latency_ms + " ms"]));
}

/* One row for each rule, of all frontends; built-in ones when they did
 * something. */
function showRules(rows) {
	const rules = new Map();
	for (const r of rows) {
		const key = JSON.stringify([r.rule, r.action, r.match]);
		rules.set(key, (rules.get(key) || 0) + r.queries);
	}
	const all = [...rules].map(([key, n]) => [...JSON.parse(key), n]);
	fill("rules", all.filter((r) => r[3] || r[2] !== "(built in)")
		.map((r) => [r[0], r[2], r[1], String(r[3])]));
}

function showBlocks(blocks) {
	fill("blocks", blocks.map((b) => [
		b.kind === "suffix" ? b.target + " and below" : b.target,
		b.action + (b.spares_proven ? ", without proof of address" : ""),
		b.reason, String(b.left_s), String(b.queries),
		b.nodes.join(", ")]));
}

async function refreshFrontends() {
	clearTimeout(frontendTimer);
	frontendTimer = setTimeout(refreshFrontends, ASK_FRONTENDS_MS);
	try {
		const servers = await call("frontend.seen", { what: "servers" });
		const rules = await call("frontend.seen", { what: "rules" });
		const blocks = await call("block.list");
		showBackends(servers.rows);
		showRules(rules.rows);
		showBlocks(blocks.blocks);
		list("unasked", blocks.errors.map((e) => "not asked: " + e.node +
			": " + e.error), "all frontends were asked", "bad");
		$("frontends").hidden = false;
	} catch (e) {
		/* there is none, or none is reachable: Nodes says so */
		$("frontends").hidden = true;
	}
}

function login(error) {
	clearTimeout(timer);
	clearTimeout(frontendTimer);
	frontendTimer = 0;
	sessionStorage.removeItem("token");
	$("login").hidden = false;
	$("main").hidden = true;
	$("login-error").textContent = error;
	verdict("A token is needed (ispdns token create)", false);
}

async function refresh() {
	clearTimeout(timer);
	try {
		const status = await call("status");
		showStatus(status);
		showHistory(await call("history", { limit: 10 }));
		showChanges(status.pending ? await call("diff") :
			{ changes: [] });
		$("login").hidden = true;
		$("main").hidden = false;
		document.body.classList.remove("stale");
		if (!frontendTimer)
			refreshFrontends();
	} catch (e) {
		if (e.message === "denied") {
			login(token ? "This token is not valid." : "");
			return;
		}
		document.body.classList.add("stale");
		verdict("! No contact with management: what is below is old",
			false);
	}
	timer = setTimeout(refresh, ASK_MS);
}

$("login").addEventListener("submit", (event) => {
	event.preventDefault();
	token = $("token").value.trim();
	sessionStorage.setItem("token", token);
	$("token").value = "";
	refresh();
});

if (token)
	refresh();
else
	login("");

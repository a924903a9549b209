/* SPDX-License-Identifier: ISC */
/* Status of the fleet, asked for every 2 s. Texts are set as text only. */
"use strict";

const $ = (id) => document.getElementById(id);
const ASK_MS = 2000;
let token = sessionStorage.getItem("token") || "";
let timer = 0;

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

function login(error) {
	clearTimeout(timer);
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

/* SPDX-License-Identifier: ISC */
/* dnsdist importer: statements that need nothing here, and such that have no
 * equivalent. */
#include "mgmt/cli/import_dnsdist.h"

#define CONSOLE "a console command, no configuration"

static const struct plain {
	const char *name, *text;
} not_needed[] = {
	{"addCapabilitiesToRetain", "the units give each daemon what it needs"},
	{"addConsoleACL", "there is no console"},
	{"benchRule", CONSOLE},
	{"clearConsoleHistory", CONSOLE},
	{"clearQueryCounters", CONSOLE},
	{"delta", CONSOLE},
	{"dumpStats", CONSOLE "; use `ispdns status`"},
	{"errlog", "nothing is run"},
	{"fixupCase", "the client's spelling always comes back"},
	{"getStatisticsCounters", CONSOLE "; use `ispdns status`"},
	{"grepq", CONSOLE},
	{"inClientStartup", "nothing is run"},
	{"infolog", "nothing is run"},
	{"makeKey", CONSOLE},
	{"print", "nothing is run"},
	{"printDNSCryptProviderFingerprint", CONSOLE},
	{"setAllowEmptyResponse", "answers without a question are not taken"},
	{"setAPIWritable", "everything can be changed through the API of "
			   "ispdns-mgmt"},
	{"setAddEDNSToSelfGeneratedResponses", "always done (RFC 6891)"},
	{"setCacheCleaningDelay", "old answers make room at once"},
	{"setCacheCleaningPercentage", "old answers make room at once"},
	{"setConsistentHashingBalancingFactor", "not needed"},
	{"setConsoleACL", "there is no console"},
	{"setConsoleConnectionsLogging", "there is no console"},
	{"setConsoleMaximumConcurrentConnections", "there is no console"},
	{"setConsoleOutputMaxMsgSize", "there is no console"},
	{"setDynBlocksPurgeInterval", "blocks end by themselves"},
	{"setEDNSOptionsParsing", "always done"},
	{"setKey", "`ispdns` talks to local sockets and over TLS"},
	{"setMaxTCPClientThreads", "TCP is served by the workers' event loops"},
	{"setMaxTCPQueuedConnections", "the kernel's queue is used"},
	{"setMaxCachedTCPConnectionsPerDownstream", "kept by themselves"},
	{"setMaxCachedDoHConnectionsPerDownstream", "kept by themselves"},
	{"setMaxUDPOutstanding", "bounded by the frontend itself"},
	{"setOutgoingDoHWorkerThreads", "backends are asked in plain DNS"},
	{"setPayloadSizeOnSelfGeneratedAnswers", "1232 octets"},
	{"setPoolServerPolicyLuaFFI", "not needed"},
	{"setQueryCount", "`ispdns-frontend show top` counts names"},
	{"setQueryCountFilter", "`ispdns-frontend show top` counts names"},
	{"setRandomizedIdsOverUDP", "always done"},
	{"setRandomizedOutgoingSockets", "always done"},
	{"setRingBuffersLockRetries", "`show top` has its own memory"},
	{"setRingBuffersOptions", "`show top` has its own memory"},
	{"setRingBuffersSize", "`show top` has its own memory"},
	{"setRoundRobinFailOnNoServer", "then the client gets a stale answer "
					"or SERVFAIL"},
	{"setSecurityPollInterval", "nothing is asked on the Internet"},
	{"setSecurityPollSuffix", "nothing is asked on the Internet"},
	{"setStructuredLogging", "the daemons have --log-level"},
	{"setSyslogFacility", "the journal takes the log"},
	{"setTCPDownstreamCleanupInterval", "not needed"},
	{"setTCPDownstreamMaxIdleTime", "not needed"},
	{"setTCPInternalPipeBufferSize", "not needed"},
	{"setTCPSendTimeout", "an idle connection is closed after 10 s"},
	{"setTCPUseSinglePipe", "not needed"},
	{"setUDPMultipleMessagesVectorSize", "batches are always used"},
	{"setUDPSocketBufferSizes", "set as high as the kernel allows"},
	{"setUDPTimeout", "a query is tried on another backend after 400 ms"},
	{"setVerbose", "the daemons have --log-level"},
	{"setVerboseHealthChecks", "every change of a backend's state is "
				   "logged and counted"},
	{"setVerbosityLevel", "the daemons have --log-level"},
	{"setWeightedBalancingFactor", "not needed"},
	{"setWHashedPertubation", "not needed"},
	{"setWHashedPerturbation", "not needed"},
	{"showACL", CONSOLE "; use `ispdns acl list`"},
	{"showBinds", CONSOLE},
	{"showCacheHitResponseCounts",
		"no version of dnsdist has this function; use `ispdns status` "
		"for hits and misses"},
	{"showCacheHitResponseRules", CONSOLE},
	{"showDynBlocks", CONSOLE "; use `ispdns-frontend block list`"},
	{"showPools", CONSOLE "; use `ispdns pool list`"},
	{"showResponseRules", CONSOLE},
	{"showRules", CONSOLE "; use `ispdns rule list`"},
	{"showServerPolicy", CONSOLE "; use `ispdns pool list`"},
	{"showServers", CONSOLE "; use `ispdns backend list`"},
	{"showTCPStats", CONSOLE "; use `ispdns status`"},
	{"showVersion", CONSOLE "; use `ispdns version`"},
	{"shutdown", CONSOLE},
	{"testCrypto", CONSOLE},
	{"topBandwidth", CONSOLE "; use `ispdns-frontend show top`"},
	{"topClients", CONSOLE "; use `ispdns-frontend show top`"},
	{"topQueries", CONSOLE "; use `ispdns-frontend show top`"},
	{"topResponses", CONSOLE "; use `ispdns-frontend show top`"},
	{"topSlow", CONSOLE "; use `ispdns-frontend show latency`"},
	{"vinfolog", "nothing is run"},
	{"warnlog", "nothing is run"},
};

#define ANSWERS                                                                \
	"rules on answers: frontends hand on what backends answer; TTLs are "  \
	"bounded by `ispdns cache set --max-ttl N --cap-served-ttl`"
#define ENCRYPTED                                                              \
	"frontends speak DNS over UDP and TCP: keep a proxy for it in front"
#define EXPORTS                                                                \
	"metrics are read from http://127.0.0.1:8083/metrics of each frontend"
#define RULE_ORDER                                                             \
	"the order of rules is that of the file: move the line, or `ispdns "   \
	"rule set --position` after the import"

static const struct plain by_hand[] = {
	{"addBPFFilterDynBlocks", "`ispdns block policy set`"},
	{"addCacheHitResponseAction", ANSWERS},
	{"addCacheInsertedResponseAction", ANSWERS},
	{"addCacheMissAction", "rules on misses: `ispdns limit misses set`"},
	{"addDNSCryptBind", ENCRYPTED},
	{"addDOH3Local", ENCRYPTED},
	{"addDOHLocal", ENCRYPTED},
	{"addDOQLocal", ENCRYPTED},
	{"addDynBlocks", "`ispdns block policy set --qps`"},
	{"addDynamicBlock", "`ispdns-frontend block add`"},
	{"addDynBlockSMT", "`ispdns-frontend block add suffix`"},
	{"addMaintenanceCallback", "no Lua is run"},
	{"addResponseAction", ANSWERS},
	{"addSelfAnsweredResponseAction", ANSWERS},
	{"addTLSLocal", ENCRYPTED},
	{"addTimeoutResponseAction", "a query is tried on another backend by "
				     "itself"},
	{"addXFRResponseAction", ANSWERS},
	{"carbonServer", EXPORTS},
	{"clearRules", RULE_ORDER},
	{"includeDirectory", "other files are not read: import each, or put "
			     "them into one"},
	{"dofile", "other files are not read: import each, or put them into "
		   "one"},
	{"require", "other files are not read: no Lua is run"},
	{"loadTLSEngine", ENCRYPTED},
	{"loadTLSProvider", ENCRYPTED},
	{"mvCacheHitResponseRule", RULE_ORDER},
	{"mvResponseRule", RULE_ORDER},
	{"mvRule", RULE_ORDER},
	{"mvRuleToTop", RULE_ORDER},
	{"newBPFFilter", "`ispdns-frontend block add`"},
	{"newRuleAction", "write it as addAction(rule, action)"},
	{"rmRule", "leave the rule out of the file, or `ispdns rule del`"},
	{"rmServer", "leave the server out of the file, or `ispdns backend "
		     "del`"},
	{"setACLFromFile", "the file is not read: `ispdns acl add` each "
			   "prefix, or name them in setACL({...})"},
	{"setConsoleACLFromFile", "not read"},
	{"setDefaultBPFFilter", "`ispdns-frontend block add`"},
	{"setPoolServerPolicyLua", "one of the policies here: `ispdns pool set "
				   "--policy`"},
	{"setProxyProtocolACL", "no PROXY protocol here"},
	{"setProxyProtocolApplyACLToProxiedClients", "no PROXY protocol here"},
	{"setProxyProtocolMaximumPayloadSize", "no PROXY protocol here"},
	{"setQueryRate", "call it on dynBlockRulesGroup()"},
	{"setRules", "write them as addAction(rule, action)"},
	{"setServerPolicyLua", "one of the policies here: `ispdns pool set "
			       "--policy`"},
	{"setServerPolicyLuaFFI", "one of the policies here: `ispdns pool set "
				  "--policy`"},
	{"setServerPolicyLuaFFIPerThread", "one of the policies here: `ispdns "
					   "pool set --policy`"},
	{"snmpAgent", EXPORTS},
	{"topCacheHitResponseRule", RULE_ORDER},
	{"topResponseRule", RULE_ORDER},
	{"topRule", RULE_ORDER},
	{"registerDynBPFFilter", "`ispdns-frontend block add`"},
};

static const struct plain *find(
	const struct plain *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

bool dd_plain(struct dd *d, const char *name)
{
	const struct plain *p = find(not_needed, countof(not_needed), name);

	if (p) {
		dd_not_needed(d, d->now, "%s", p->text);
		return true;
	}
	p = find(by_hand, countof(by_hand), name);
	if (p)
		dd_missing(d, d->now, "%s", p->text);
	return p;
}

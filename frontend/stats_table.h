/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_STATS_TABLE_H
#define FRONTEND_STATS_TABLE_H

/* The counters that every worker has, for stats.h. */

/* X(id, name with labels, help). Rows of one family are adjacent. */
#define STAT_TABLE(X)                                                          \
	X(STAT_UDP_QUERIES, "queries_total{proto=\"udp\"}",                    \
		"Messages received from clients.")                             \
	X(STAT_TCP_QUERIES, "queries_total{proto=\"tcp\"}", "")                \
	X(STAT_NOERROR, "responses_total{rcode=\"NOERROR\"}",                  \
		"Answers sent to clients.")                                    \
	X(STAT_FORMERR, "responses_total{rcode=\"FORMERR\"}", "")              \
	X(STAT_SERVFAIL, "responses_total{rcode=\"SERVFAIL\"}", "")            \
	X(STAT_NXDOMAIN, "responses_total{rcode=\"NXDOMAIN\"}", "")            \
	X(STAT_NOTIMP, "responses_total{rcode=\"NOTIMP\"}", "")                \
	X(STAT_REFUSED, "responses_total{rcode=\"REFUSED\"}", "")              \
	X(STAT_RCODE_OTHER, "responses_total{rcode=\"other\"}", "")            \
	X(STAT_TRUNCATED, "truncated_total",                                   \
		"Answers sent with TC since they exceed the client's size.")   \
	X(STAT_SELF_ANSWERED, "self_answered_total",                           \
		"Answers made here, neither from a backend nor the cache.")    \
	X(STAT_DROP_ACL, "drops_total{reason=\"acl\"}",                        \
		"Queries that were not answered, by reason.")                  \
	X(STAT_DROP_ACL_LIMIT, "drops_total{reason=\"acl-refuse-limit\"}", "") \
	X(STAT_DROP_SHORT, "drops_total{reason=\"short\"}", "")                \
	X(STAT_DROP_NOT_QUERY, "drops_total{reason=\"not-a-query\"}", "")      \
	X(STAT_DROP_EMPTY, "drops_total{reason=\"empty\"}", "")                \
	X(STAT_DROP_ANY, "drops_total{reason=\"any\"}", "")                    \
	X(STAT_DROP_CHAOS, "drops_total{reason=\"chaos\"}", "")                \
	X(STAT_DROP_TRANSFER, "drops_total{reason=\"transfer\"}", "")          \
	X(STAT_DROP_BLOCK, "drops_total{reason=\"block\"}", "")                \
	X(STAT_DROP_RULE, "drops_total{reason=\"rule\"}", "")                  \
	X(STAT_DROP_RULE_RATE, "drops_total{reason=\"rule-limit\"}", "")       \
	X(STAT_DROP_MISS_CLIENT, "drops_total{reason=\"miss-client\"}", "")    \
	X(STAT_DROP_MISS_SUFFIX, "drops_total{reason=\"miss-suffix\"}", "")    \
	X(STAT_DROP_LIMIT, "drops_total{reason=\"limit\"}", "")                \
	X(STAT_DROP_NO_SLOT, "drops_total{reason=\"no-slot\"}", "")            \
	X(STAT_DROP_NO_SERVER, "drops_total{reason=\"no-server\"}", "")        \
	X(STAT_REFUSED_ACL, "rule_total{rule=\"acl\",action=\"refuse\"}",      \
		"Queries ended by a rule with an answer made here.")           \
	X(STAT_REFUSED_ANY, "rule_total{rule=\"any\",action=\"refuse\"}", "")  \
	X(STAT_REFUSED_CHAOS, "rule_total{rule=\"chaos\",action=\"refuse\"}",  \
		"")                                                            \
	X(STAT_REFUSED_TRANSFER,                                               \
		"rule_total{rule=\"transfer\",action=\"refuse\"}", "")         \
	X(STAT_REFUSED_TRANSFER_SOURCE,                                        \
		"rule_total{rule=\"transfer-source\",action=\"refuse\"}", "")  \
	X(STAT_REFUSED_NOTIFY,                                                 \
		"rule_total{rule=\"notify-source\",action=\"refuse\"}", "")    \
	X(STAT_REFUSED_UPDATE,                                                 \
		"rule_total{rule=\"update-source\",action=\"refuse\"}", "")    \
	X(STAT_REFUSED_TYPE,                                                   \
		"rule_total{rule=\"meta-type\",action=\"refuse\"}", "")        \
	X(STAT_REFUSED_BLOCK, "rule_total{rule=\"block\",action=\"refuse\"}",  \
		"")                                                            \
	X(STAT_REFUSED_RULE, "rule_total{rule=\"rules\",action=\"refuse\"}",   \
		"")                                                            \
	X(STAT_REFUSED_RULE_RATE,                                              \
		"rule_total{rule=\"rule-limit\",action=\"refuse\"}", "")       \
	X(STAT_REFUSED_MISS_CLIENT,                                            \
		"rule_total{rule=\"miss-client\",action=\"refuse\"}", "")      \
	X(STAT_REFUSED_MISS_SUFFIX,                                            \
		"rule_total{rule=\"miss-suffix\",action=\"refuse\"}", "")      \
	X(STAT_REFUSED_LIMIT, "rule_total{rule=\"limit\",action=\"refuse\"}",  \
		"")                                                            \
	X(STAT_TC_ANY, "rule_total{rule=\"any\",action=\"tc\"}", "")           \
	X(STAT_TC_BLOCK, "rule_total{rule=\"block\",action=\"tc\"}", "")       \
	X(STAT_TC_RULE, "rule_total{rule=\"rules\",action=\"tc\"}", "")        \
	X(STAT_TC_RULE_RATE, "rule_total{rule=\"rule-limit\",action=\"tc\"}",  \
		"")                                                            \
	X(STAT_TC_MISS_CLIENT,                                                 \
		"rule_total{rule=\"miss-client\",action=\"tc\"}", "")          \
	X(STAT_TC_MISS_SUFFIX,                                                 \
		"rule_total{rule=\"miss-suffix\",action=\"tc\"}", "")          \
	X(STAT_TC_LIMIT, "rule_total{rule=\"limit\",action=\"tc\"}", "")       \
	X(STAT_CACHE_ONLY, "rule_total{rule=\"limit\",action=\"cache-only\"}", \
		"")                                                            \
	X(STAT_NXDOMAIN_RULE,                                                  \
		"rule_total{rule=\"rules\",action=\"nxdomain\"}", "")          \
	X(STAT_NXDOMAIN_BLOCK,                                                 \
		"rule_total{rule=\"block\",action=\"nxdomain\"}", "")          \
	X(STAT_SERVFAIL_RULE,                                                  \
		"rule_total{rule=\"rules\",action=\"servfail\"}", "")          \
	X(STAT_NOTIMP_RULE, "rule_total{rule=\"rules\",action=\"notimp\"}",    \
		"")                                                            \
	X(STAT_SPOOFED_RULE, "rule_total{rule=\"rules\",action=\"spoof\"}",    \
		"")                                                            \
	X(STAT_CACHE_ONLY_RULE,                                                \
		"rule_total{rule=\"rule-limit\",action=\"cache-only\"}", "")   \
	X(STAT_AXFR_UDP, "rule_total{rule=\"axfr-udp\",action=\"notimp\"}",    \
		"")                                                            \
	X(STAT_TRANSFER_BUSY,                                                  \
		"rule_total{rule=\"transfer-limit\",action=\"servfail\"}", "") \
	X(STAT_BAD_FORMERR, "rule_total{rule=\"parse\",action=\"formerr\"}",   \
		"")                                                            \
	X(STAT_BAD_NOTIMP, "rule_total{rule=\"parse\",action=\"notimp\"}", "") \
	X(STAT_BAD_BADVERS, "rule_total{rule=\"parse\",action=\"badvers\"}",   \
		"")                                                            \
	X(STAT_BADCOOKIE, "badcookie_total",                                   \
		"Of the answers of rules, BADCOOKIE in the place of TC.")      \
	X(STAT_CACHE_HITS, "cache_hits_total",                                 \
		"Queries answered from the packet cache.")                     \
	X(STAT_CACHE_MISSES, "cache_misses_total",                             \
		"Queries of cached pools that the packet cache could not "     \
		"answer.")                                                     \
	X(STAT_CACHE_STALE, "cache_stale_total",                               \
		"Expired answers served since no backend gave one (RFC "       \
		"8767).")                                                      \
	X(STAT_PREFETCHED, "cache_prefetches_total",                           \
		"Popular answers asked for again before their end.")           \
	X(STAT_WARMED, "cache_warm_total",                                     \
		"Popular names told to the other frontends.")                  \
	X(STAT_COALESCED, "coalesced_total",                                   \
		"Queries that joined an identical one in flight.")             \
	X(STAT_FORWARDED, "forwarded_total",                                   \
		"Questions sent to a backend, retries apart.")                 \
	X(STAT_RETRY_TIMEOUT, "retries_total{reason=\"timeout\"}",             \
		"Questions sent again.")                                       \
	X(STAT_RETRY_HEDGE, "retries_total{reason=\"hedge\"}", "")             \
	X(STAT_RETRY_SERVFAIL, "retries_total{reason=\"servfail\"}", "")       \
	X(STAT_RETRY_ERROR, "retries_total{reason=\"error\"}", "")             \
	X(STAT_RETRY_TCP, "retries_total{reason=\"truncated\"}", "")           \
	X(STAT_RETRY_DENIED, "retries_denied_total",                           \
		"Retries not made since the retry budget was used up.")        \
	X(STAT_TIMEOUTS, "backend_timeouts_total",                             \
		"Questions that a backend did not answer in time.")            \
	X(STAT_SEND_ERRORS, "backend_errors_total",                            \
		"Sends and connections refused by a backend or the kernel.")   \
	X(STAT_REPLY_UNKNOWN, "backend_replies_ignored_total{reason=\"id\"}",  \
		"Messages on backend sockets that answered nothing.")          \
	X(STAT_REPLY_QUESTION,                                                 \
		"backend_replies_ignored_total{reason=\"question\"}", "")      \
	X(STAT_REPLY_MALFORMED,                                                \
		"backend_replies_ignored_total{reason=\"malformed\"}", "")     \
	X(STAT_REPLY_ECS, "backend_replies_ignored_total{reason=\"ecs\"}", "") \
	X(STAT_FLED, "backend_ports_left_total",                               \
		"Source ports left since many replies with wrong ids came.")   \
	X(STAT_REPLIES, "backend_replies_total",                               \
		"Answers accepted from backends.")                             \
	X(STAT_NO_BACKEND, "no_backend_total",                                 \
		"Questions for a pool without a usable backend.")              \
	X(STAT_GAVE_UP, "gave_up_total",                                       \
		"Questions that no backend answered before the deadline.")     \
	X(STAT_XFR_AXFR, "transfers_total{type=\"axfr\"}",                     \
		"Zone transfers handed on to a backend.")                      \
	X(STAT_XFR_IXFR, "transfers_total{type=\"ixfr\"}", "")                 \
	X(STAT_RELAY_IXFR, "relayed_total{what=\"ixfr-udp\"}",                 \
		"Other messages handed on as they are, with one answer.")      \
	X(STAT_RELAY_NOTIFY, "relayed_total{what=\"notify\"}", "")             \
	X(STAT_RELAY_UPDATE, "relayed_total{what=\"update\"}", "")             \
	X(STAT_XFR_DONE, "transfers_ended_total{reason=\"done\"}",             \
		"How transfers and what else is handed on ended.")             \
	X(STAT_XFR_ERROR, "transfers_ended_total{reason=\"rcode\"}", "")       \
	X(STAT_XFR_BACKEND, "transfers_ended_total{reason=\"backend\"}", "")   \
	X(STAT_XFR_MALFORMED, "transfers_ended_total{reason=\"malformed\"}",   \
		"")                                                            \
	X(STAT_XFR_TIMEOUT, "transfers_ended_total{reason=\"timeout\"}", "")   \
	X(STAT_XFR_CLIENT, "transfers_ended_total{reason=\"client\"}", "")     \
	X(STAT_XFR_MESSAGES, "transfer_messages_total",                        \
		"Messages of them from backends.")                             \
	X(STAT_XFR_OCTETS, "transfer_octets_total", "Octets of these.")        \
	X(STAT_RD, "rd_queries_total", "Queries with RD set.")                 \
	X(STAT_COOKIE_NEW, "cookies_total{state=\"client-only\"}",             \
		"Queries with a DNS cookie, by what it showed.")               \
	X(STAT_COOKIE_GOOD, "cookies_total{state=\"good\"}", "")               \
	X(STAT_COOKIE_BAD, "cookies_total{state=\"bad\"}", "")                 \
	X(STAT_EMPTY, "empty_queries_total", "Queries without a question.")    \
	X(STAT_UDP_CUT, "udp_oversize_total",                                  \
		"Datagrams that were too long for a query.")                   \
	X(STAT_UDP_SEND_ERRORS, "udp_send_errors_total",                       \
		"Answers that the kernel did not take.")                       \
	X(STAT_TCP_ACCEPTED, "tcp_connections_total",                          \
		"TCP connections of clients.")                                 \
	X(STAT_TCP_REFUSED, "tcp_refused_total{reason=\"full\"}",              \
		"TCP connections closed at once, or to make room.")            \
	X(STAT_TCP_OVER_CLIENT, "tcp_refused_total{reason=\"per-client\"}",    \
		"")                                                            \
	X(STAT_TCP_OVER_NET, "tcp_refused_total{reason=\"per-net\"}", "")      \
	X(STAT_TCP_BANNED, "tcp_refused_total{reason=\"banned\"}", "")         \
	X(STAT_TCP_EVICTED, "tcp_refused_total{reason=\"evicted\"}", "")       \
	X(STAT_TCP_TIMEOUTS, "tcp_timeouts_total",                             \
		"TCP connections closed as idle or for a slow message.")       \
	X(STAT_TCP_DRIPS, "tcp_drips_total",                                   \
		"TCP connections closed since a message came in too many "     \
		"pieces.")                                                     \
	X(STAT_TCP_GONE, "tcp_gone_total",                                     \
		"Answers whose TCP connection had ended.")

#endif

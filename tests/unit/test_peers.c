/* What others tell over HTTP: peers their ballots, sequencers whether they
 * are ready.  Nobody is believed further than he can prove. */
#include "tests/unit/unit.h"

#include "tests/unit/fake_http.h"
#include "tests/unit/values.h"
#include "watcher/gossip.h"
#include "watcher/standby.h"

#define URL   "http://peer/v1/ballots"
#define READY "http://standby/ready"
#define EVERY 2000

static struct pool pool;
static struct gossip gossip;
static char *peer_urls[] = {"http://peer/"};

static int set_up_gossip(void **state)
{
	struct settings s = {.peers = {.items = peer_urls, .n = 1}};

	(void)state;
	memset(&pool, 0, sizeof(pool));
	return gossip_init(&gossip, &s, http_client_new(), &pool);
}

static int tear_down_gossip(void **state)
{
	(void)state;
	gossip_done(&gossip);
	return 0;
}

static struct bundle ballot_by(uint8_t signer, uint64_t expiry)
{
	struct bundle b = {
		.vote = {.chain_id = 1,
			 .hatch = an_address(5),
			 .action = VOTE_PROMOTE,
			 .epoch = 3,
			 .progress = 20,
			 .subject = vote_subject_address(an_address(7)),
			 .expiry = expiry}};
	struct signature s = sign_by(signer, vote_digest(&b.vote));

	assert_int_equal(bundle_add(&b, &s), OK);
	return b;
}

/* {"ballots":[…]} */
static char *list_of(const struct bundle *b, size_t n)
{
	static char text[1 << 16];
	struct buf to;
	struct json_writer w;

	buf_init(&to, sizeof(text) - 1);
	w = json_writer(&to);
	json_begin(&w, NULL);
	json_begin_array(&w, "ballots");
	for (size_t i = 0; i < n; i++)
		bundle_json(&b[i], &w, NULL);
	json_end_array(&w);
	json_end(&w);
	assert_false(to.failed);
	memcpy(text, to.p, to.len);
	text[to.len] = 0;
	buf_done(&to);
	return text;
}

static void pull(const char *text, long status)
{
	fake_now += EVERY;
	gossip_turn(&gossip, fake_now, EVERY);
	assert_true(fake_reply(URL, status, text));
}

static void test_finds_the_ballots_of_a_peer(void **state)
{
	struct bundle b[2] = {ballot_by(1, 1010), ballot_by(2, 1020)};

	(void)state;
	pull(list_of(b, 2), 200);
	assert_int_equal(gossip.n_found, 2);
	assert_memory_equal(gossip.found[1].signers[0].b, address_of(2).b, 20);
}

static void test_reads_the_same_list_once(void **state)
{
	struct bundle b = ballot_by(1, 1010);

	(void)state;
	pull(list_of(&b, 1), 200);
	gossip.n_found = 0; /* taken */
	pull(list_of(&b, 1), 200);
	assert_int_equal(gossip.n_found, 0);
	b = ballot_by(1, 1020);
	pull(list_of(&b, 1), 200);
	assert_int_equal(gossip.n_found, 1);
}

/* What was refused may be taken after the hatch moved. */
static void test_reads_it_again_when_told_to(void **state)
{
	struct bundle b = ballot_by(1, 1010);

	(void)state;
	pull(list_of(&b, 1), 200);
	gossip.n_found = 0; /* judged, and refused */
	gossip_again(&gossip);
	pull(list_of(&b, 1), 200);
	assert_int_equal(gossip.n_found, 1);
}

static void test_recovers_no_signature_that_is_known(void **state)
{
	struct bundle b = ballot_by(1, 1010);

	(void)state;
	pool.n = 1;
	pool.ballots[0].digest = vote_digest(&b.vote);
	pool.ballots[0].signer = address_of(1);
	pull(list_of(&b, 1), 200);
	assert_int_equal(gossip.n_found, 0);
	b = ballot_by(2, 1010); /* the same vote, another signer */
	pull(list_of(&b, 1), 200);
	assert_int_equal(gossip.n_found, 1);
}

/* "signers are informative, recomputed on input" */
static void test_believes_signatures_and_not_names(void **state)
{
	struct bundle b = ballot_by(2, 1010);

	(void)state;
	b.signers[0] = address_of(1);
	pull(list_of(&b, 1), 200);
	assert_int_equal(gossip.n_found, 1);
	assert_memory_equal(gossip.found[0].signers[0].b, address_of(2).b, 20);
}

static void test_nonsense_from_a_peer_is_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"[",
		"{}",
		"[]",
		"{\"ballots\":7}",
		"{\"ballots\":[7,{},[]]}",
		"{\"ballots\":[{\"signers\":[1]}]}"};
	struct bundle b = ballot_by(1, 1010);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		pull(texts[i], 200);
	pull(list_of(&b, 1), 500);
	pull(NULL, 0);
	assert_int_equal(gossip.n_found, 0);
	pull(list_of(&b, 1), 200); /* and it is heard when it makes sense */
	assert_int_equal(gossip.n_found, 1);
}

static void test_hurries_when_asked_to(void **state)
{
	uint64_t next;

	(void)state;
	fake_now += 2 * PEER_CALM_MS;
	gossip_turn(&gossip, fake_now, PEER_CALM_MS);
	assert_true(fake_reply(URL, 200, "{\"ballots\":[]}"));
	next = gossip_turn(&gossip, fake_now + 100, PEER_CALM_MS);
	assert_int_equal(next, fake_now + PEER_CALM_MS);
	assert_null(fake_find(URL));
	gossip_turn(&gossip, fake_now + 100, 250);
	assert_non_null(fake_find(URL));
}

/* ---- standbys ---- */

static struct standbys standbys;
static struct watcher_standby configured[2];

static int set_up_standbys(void **state)
{
	struct watcher_config c = {.standbys = {configured, 2}};

	(void)state;
	configured[0] = (struct watcher_standby){an_address(1), READY};
	configured[1] = (struct watcher_standby){an_address(2), NULL};
	standbys_init(&standbys, &c, http_client_new());
	return 0;
}

static int tear_down_standbys(void **state)
{
	(void)state;
	standbys_done(&standbys);
	return 0;
}

static enum standby_state state_of(uint8_t who)
{
	const char *why;
	enum standby_state s = standbys_state(&standbys, an_address(who), false,
					      fake_now, &why);

	assert_non_null(why);
	assert_int_equal(!why[0], s == STANDBY_READY);
	return s;
}

static void probe(long status, const char *text)
{
	fake_now += EVERY;
	standbys_turn(&standbys, fake_now, EVERY);
	assert_true(fake_reply(READY, status, text));
}

static void test_without_a_probe_it_is_ready(void **state)
{
	(void)state;
	assert_int_equal(state_of(2), STANDBY_READY);
	assert_int_equal(state_of(3), STANDBY_READY); /* not configured */
	assert_int_equal(state_of(1), STANDBY_UNKNOWN);
}

static void test_who_fell_silent_must_say_that_it_is_back(void **state)
{
	const char *why;

	(void)state;
	assert_int_equal(
		standbys_state(&standbys, an_address(3), true, fake_now, &why),
		STANDBY_UNREADY);
	assert_non_null(strstr(why, "no probe"));
	probe(200, "{\"ready\":true}");
	assert_int_equal(
		standbys_state(&standbys, an_address(1), true, fake_now, &why),
		STANDBY_READY);
}

static void test_is_ready_only_when_it_says_so(void **state)
{
	(void)state;
	probe(200, "{\"ready\":true,\"batch\":3}");
	assert_int_equal(state_of(1), STANDBY_READY);
	probe(503, "{\"ready\":true}");
	assert_int_equal(state_of(1), STANDBY_UNKNOWN);
	probe(200, "{\"ready\":true}");
	assert_int_equal(state_of(1), STANDBY_READY);
	probe(200, "{\"ready\":\"yes\"}");
	assert_int_equal(state_of(1), STANDBY_UNKNOWN);
	probe(200, "ready");
	assert_int_equal(state_of(1), STANDBY_UNKNOWN);
	probe(200, "{\"ready\":false,\"why\":\"syncing\"}");
	assert_int_equal(state_of(1), STANDBY_UNREADY); /* three in a row */
	assert_string_equal(standbys.list[0].why, "syncing");
}

static void test_three_failures_in_a_row_are_needed(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		probe(0, NULL);
		assert_int_equal(state_of(1), STANDBY_UNKNOWN);
		probe(0, NULL);
		assert_int_equal(state_of(1), STANDBY_UNKNOWN);
		probe(200, "{\"ready\":true}");
		assert_int_equal(state_of(1), STANDBY_READY);
	}
	for (int i = 0; i < 3; i++)
		probe(0, NULL);
	assert_int_equal(state_of(1), STANDBY_UNREADY);
}

static void test_an_old_answer_says_nothing(void **state)
{
	(void)state;
	probe(200, "{\"ready\":true}");
	fake_now += PROBE_STALE_MS;
	assert_int_equal(state_of(1), STANDBY_READY);
	fake_now++;
	assert_int_equal(state_of(1), STANDBY_UNKNOWN);
}

#define GOSSIP(test)                                                           \
	cmocka_unit_test_setup_teardown(test, set_up_gossip, tear_down_gossip)
#define STANDBY(test)                                                          \
	cmocka_unit_test_setup_teardown(test, set_up_standbys,                 \
					tear_down_standbys)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOSSIP(test_finds_the_ballots_of_a_peer),
		GOSSIP(test_reads_the_same_list_once),
		GOSSIP(test_reads_it_again_when_told_to),
		GOSSIP(test_recovers_no_signature_that_is_known),
		GOSSIP(test_believes_signatures_and_not_names),
		GOSSIP(test_nonsense_from_a_peer_is_nothing),
		GOSSIP(test_hurries_when_asked_to),
		STANDBY(test_without_a_probe_it_is_ready),
		STANDBY(test_who_fell_silent_must_say_that_it_is_back),
		STANDBY(test_is_ready_only_when_it_says_so),
		STANDBY(test_three_failures_in_a_row_are_needed),
		STANDBY(test_an_old_answer_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* run: from its hooks and its application to its exit code, and in which order; signals. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inherited.h"
#include "base/log.h"
#include "run/run.h"

#define LONG_MS 10000 /* what takes so long hangs */
#define SOON_MS 3000  /* what waits for nothing is over by then */

static struct run run;
static struct run_config config;
static char story[64];

/*
 * Scripts for a shell; each may write a letter with `s X` and signal the run with `k SIGNAL`.
 * An empty one: there is none. In words: one that is there, and no script.
 */
static const struct {
	const char *what;
	const char *pre_start, *app, *pre_stop, *post_stop;
	int64_t stop_timeout_ms, max_ms;
	int code;
	const char *story;
} cases[] = {
	{"its code", "", "s a; exit 7", "", "", 5000, 5000, 7, "a"},
	{"a signal", "", "kill -9 $$", "", "", 5000, 5000, 137, ""},
	{"hooks", "s b", "s a; exit 7", "s p", "s z", 5000, 5000, 7, "baz"},
	{"in order", "s b", "trap 's T; exit 3' TERM; s a; k TERM; w", "s p", "s z", 5000, 5000, 3, "bapTz"},
	{"INT, too", "", "trap 's T; exit 3' TERM; k INT; w", "s p", "s z", 5000, 5000, 3, "pTz"},
	{"hooks that fail", "", "k TERM; w", "s p; exit 9", "s z; exit 4", 5000, 5000, 143, "pz"},
	{"pre-start fails", "s b; exit 5", "s a", "s p", "s z", 5000, 5000, 5, "b"},
	{"pre-start is killed", "kill -9 $$", "s a", "", "", 5000, 5000, 137, ""},
	{"pre-start cannot be", "/nonexistent", "s a", "", "", 5000, 5000, 127, ""},
	{"TERM in pre-start", "s b; k TERM; w", "s a", "s p", "s z", 5000, 5000, 143, "b"},
	{"TERM in pre-start, which takes it well", "trap 's T; exit 0' TERM; k TERM; w", "s a", "", "s z", 5000, 5000, 143, "T"},
	{"TERM in pre-start, which does not care", "trap '' TERM; k TERM; s b; k INT; s c; k TERM; w", "s a", "", "", 5000, 5000,
	 137, NULL},
	{"the app cannot be", "s b", "/nonexistent", "s p", "s z", 5000, 5000, 127, "bz"},
	{"it does not care", "", "trap '' TERM; echo $$ >$STORY.pid; k TERM; w", "s p",
	 "kill -0 $(cat $STORY.pid) || s z; rm $STORY.pid", 100, 5000, 137, "pz"},
	{"no timeout: KILL", "", "trap 's T' TERM; k TERM; w; w", "", "", 0, 5000, 137, NULL},
	{"pre-stop hangs", "", "k TERM; w", "s p; w; s q", "s z", 5000, 2000, 143, "pz"},
	{"post-stop hangs", "", "exit 7", "", "s z; w; s q", 5000, 2000, 7, "z"},
	{"a first TERM in post-stop", "", "exit 7", "", "s y; k TERM; x; x; s z", 5000, 5000, 7, "yz"},
	{"a second TERM ends pre-stop", "", "k TERM; w", "s p; k TERM; w; s q", "", 5000, 60000, 143, "p"},
	{"a third kills it", "", "trap 's T; k TERM' TERM; k TERM; w; w; w", "k TERM; w", "s z", 60000, 60000, 137, "Tz"},
	{"it ends in pre-stop, which ends", "", "trap 'exit 6' USR2; k TERM; w", "s p; k USR2; x; x; s q", "s z", 5000, 5000, 6,
	 "pqz"},
	{"stopped", "", "k TERM; kill -STOP $$; s a", "", "", 5000, 5000, 143, ""},
	{"USR2 is for it", "", "trap 'exit 9' USR2; k USR2; w", "", "", 5000, 5000, 9, ""},
	{"QUIT", "", "trap 'exit 9' QUIT; k QUIT; w", "", "", 5000, 5000, 9, ""},
	{"WINCH", "", "trap 'exit 9' WINCH; k WINCH; w", "", "", 5000, 5000, 9, ""},
	{"ALRM", "", "trap 'exit 9' ALRM; k ALRM; w", "", "", 5000, 5000, 9, ""},
	{"ABRT", "", "trap 'exit 9' ABRT; k ABRT; w", "", "", 5000, 5000, 9, ""},
	{"34", "", "trap 'exit 9' 34; k 34; w", "", "", 5000, 5000, 9, ""},
	{"64", "", "trap 'exit 9' 64; k 64; w", "", "", 5000, 5000, 9, ""},
	{"HUP is for us", "", "trap 'exit 9' HUP; k HUP; x; exit 8", "", "", 5000, 5000, 8, ""},
	{"what it leaves is told", "", "(trap 's L; exit' TERM; s a; w) & until grep -q a $STORY; do x; done; exit 2", "",
	 "until grep -q L $STORY; do x; done; s z", 5000, 5000, 2, "aLz"},
	{"no application",
	 "P=$PPID; setsid sh -c \"printf b >>$STORY; sleep 0.3; kill -TERM $P\" & until grep -q b $STORY; do x; done", "", "s p",
	 "s z", 5000, 5000, 0, "bpz"},
};

static void set(struct run_command *command, char *words[4], const char *script)
{
	static const char head[] = "s() { printf $1 >>$STORY; }; k() { kill -$1 $PPID; }; x() { sleep 0.05; };"
				   "w() { sleep 60 & wait; }; ";
	char *text = malloc(sizeof head + strlen(script) + 64);

	(void)sprintf(text, "%s%s", head, script);
	words[0] = script[0] == '/' ? strdup(script) : strdup("/bin/sh");
	words[1] = strdup("-c");
	words[2] = text;
	words[3] = NULL;
	*command = (struct run_command){.n = script[0] ? 3 : 0, .argv = words, .timeout_ms = CLOCK_NEVER};
}

/* In a process of its own. Its stderr, its log, is thrown away. */
static void be_run(size_t i)
{
	const struct drain_rule rule = {.max_ms = cases[i].max_ms};
	struct run_setup setup = {.config = &config, .drain = &rule};
	char *words[4][4];
	struct err e;

	inherited_save();
	set(&config.pre_start, words[0], cases[i].pre_start);
	set(&config.app, words[1], cases[i].app);
	set(&config.pre_stop, words[2], cases[i].pre_stop);
	set(&config.post_stop, words[3], cases[i].post_stop);
	config.stop_timeout_ms = cases[i].stop_timeout_ms;
	(void)setenv("STORY", story, 1);
	if (!getenv("RUN_LOG"))
		(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	if (run_catch_signals(&e) || run_init(&run, &setup, &e))
		_exit(1);
	_exit(run_run(&run, &e));
}

static int wait_for(pid_t pid, int64_t end_ms)
{
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_now_ms() > end_ms) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return -1;
		}
		(void)usleep(2000);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_lives(void **state)
{
	pid_t pids[COUNT(cases)];
	char stories[COUNT(cases)][64], told[COUNT(cases)][32] = {""};
	int codes[COUNT(cases)];
	int64_t end_ms;

	(void)state;
	/* They wait, and all at once. */
	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(story, sizeof story, "/tmp/dnsbuddy-unit-XXXXXX");
		assert_int_equal(close(mkstemp(story)), 0);
		memcpy(stories[i], story, sizeof story);
		pids[i] = fork();
		if (!pids[i])
			be_run(i);
	}
	end_ms = clock_now_ms() + 3 * LONG_MS; /* for all of them */
	for (size_t i = 0; i < COUNT(cases); i++) {
		FILE *f;

		codes[i] = wait_for(pids[i], end_ms);
		f = fopen(stories[i], "r");
		assert_non_null(f);
		(void)!fread(told[i], 1, sizeof told[i] - 1, f);
		(void)fclose(f);
		(void)unlink(stories[i]);
	}
	/* Not before all have ended: the first that is wrong ends the test, and the files of others would stay. */
	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK(codes[i] == cases[i].code, "%s: %d, %s", cases[i].what, codes[i], told[i]);
		CHECK(!cases[i].story || strcmp(told[i], cases[i].story) == 0, "%s: %s", cases[i].what, told[i]);
	}
}

/* ---- services, by SIGHUP ---- */

/* It takes connections, and never answers. */
static int listen_silently(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void add_service(struct run_config *c, const char *name)
{
	struct run_service *s = &c->services[c->services_n++];
	struct err e;

	*s = (struct run_service){.interfaces_from = "the test", .ttl_sec = 25};
	(void)strcpy(s->name, name);
	s->check.interval_ms = s->check.timeout_ms = LONG_MS;
	assert_int_equal(interface_rules_add(&s->interfaces, "static:192.0.2.1", &e), 0);
}

/* A letter for each. */
static void set_services(struct run_config *c, const char *names)
{
	c->services_n = 0;
	for (; *names; names++)
		add_service(c, (char[]){*names, '\0'});
}

/* What services there are: "-" leaves. */
static const char *services(void)
{
	static char text[4 * RUN_SLOTS + 1];

	text[0] = '\0';
	for (size_t i = 0; i < run.services_n; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%.1s%s ", run.services[i]->registration.name,
			       *run.services[i]->registration.wanted ? "" : "-");
	return text;
}

/*
 * Twice while a service is still leaving: of two configurations the second is read to where the
 * leaving one's was.
 */
static void test_hup_twice(void **state)
{
	static struct run_config configs[2];
	static struct http_origin consul = {.url = {.scheme = URL_HTTP, .host = "127.0.0.1"}};
	const struct drain_rule rule = {0};
	const struct run_setup setup = {
		.config = &configs[0],
		.drain = &rule,
		.world = {.consul = &consul, .consul_headers = "", .timeout_ms = LONG_MS},
	};
	int fd = listen_silently(&consul.url.port);
	int64_t now_ms = clock_now_ms();
	struct err e = {0};

	(void)state;
	set_services(&configs[0], "a");
	CHECK(run_init(&run, &setup, &e) == 0, "%s", e.text);
	run_services_start(&run, now_ms);
	run_services_step(&run, now_ms);
	assert_true(run.services[0]->registration.may_be_there);
	set_services(&configs[1], "b");
	CHECK(run_set_config(&run, &configs[1], &e) == 0, "%s", e.text);
	assert_string_equal(services(), "a- b ");
	set_services(&configs[0], "b");
	CHECK(run_set_config(&run, &configs[0], &e) == 0, "%s", e.text);
	assert_string_equal(services(), "a- b ");
	/* Back again, before it has left. */
	set_services(&configs[1], "a");
	CHECK(run_set_config(&run, &configs[1], &e) == 0, "%s", e.text);
	assert_ptr_equal(run.services[0]->setup, &configs[1].services[0]);
	assert_string_equal(run.services[0]->registration.wanted, "a");
	(void)close(fd);
}

/* One more than there are slots, for all the former ones are still leaving: nothing changes. */
static void test_too_many_services(void **state)
{
	static struct run_config configs[3];
	static const struct http_origin consul = {.url = {.scheme = URL_HTTP, .host = "127.0.0.1"}};
	const struct drain_rule rule = {0};
	const struct run_setup setup = {
		.config = &configs[0],
		.drain = &rule,
		.world = {.consul = &consul, .consul_headers = "", .timeout_ms = LONG_MS},
	};
	struct err e = {0};

	(void)state;
	memset(&run, 0, sizeof run);
	set_services(&configs[0], "efghijklmnopqrst");
	set_services(&configs[1], "EFGHIJKLMNOPQRST");
	set_services(&configs[2], "a");
	CHECK(run_init(&run, &setup, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < run.services_n; i++)
		run.services[i]->registration.may_be_there = true;
	CHECK(run_set_config(&run, &configs[1], &e) == 0, "%s", e.text);
	assert_int_equal(run.services_n, RUN_SLOTS);
	assert_int_equal(run_set_config(&run, &configs[2], &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_ptr_equal(run.setup.config, &configs[1]);
	assert_non_null(strstr(services(), "s- t- E F G"));
}

/* They come and go, of 32 slots; those that stay keep their order. */
static void test_slots(void **state)
{
	static struct run_config configs[2];
	static const struct http_origin consul = {.url = {.scheme = URL_HTTP, .host = "127.0.0.1"}};
	static const char *const rounds[][2] = {
		{"efghijklmnopqrst", "e f g h i j k l m n o p q r s t "},
		{"EFGHIJKLMNOPQRST", "E F G H I J K L M N O P Q R S T "},
		{"abc", "a b c "},
		{"ac", "a c "},
		{"dac", "a c d "},
	};
	const struct drain_rule rule = {0};
	const struct run_setup setup = {
		.config = &configs[0],
		.drain = &rule,
		.world = {.consul = &consul, .consul_headers = "", .timeout_ms = LONG_MS},
	};
	struct err e = {0};

	(void)state;
	memset(&run, 0, sizeof run);
	CHECK(run_init(&run, &setup, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < COUNT(rounds); i++) {
		set_services(&configs[i % 2], rounds[i][0]);
		CHECK(run_set_config(&run, &configs[i % 2], &e) == 0, "%s: %s", rounds[i][0], e.text);
		run_services_step(&run, clock_now_ms());
		assert_string_equal(services(), rounds[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_hup_twice),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_too_many_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

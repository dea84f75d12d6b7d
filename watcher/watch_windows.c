/* Says when a window of ours is looser than the contract's, and when it has
 * been quiet for longer than is usual. */
#include "sys/log.h"
#include "watcher/watcher_inside.h"

static void warn(const struct watcher *w)
{
	const struct l1_view *view = l1_view(w->l1);
	uint64_t head = view->head.time, acted = view->acted.time;
	struct settings_warnings warnings;

	windows_warn(w->config, &w->windows.by, head > acted ? head - acted : 0,
		     &warnings);
	for (size_t i = 0; i < warnings.n; i++)
		log_warn(warnings.lines[i].text);
}

static void judge(struct watcher *w)
{
	const char *unsafe = w->windows.unsafe.text;

	switch (windows_update(&w->windows, w->config, &w->sight.facts.terms)) {
	case WINDOWS_REFUSED:
		memcpy(w->fatal, unsafe, sizeof(w->fatal));
		break;
	case WINDOWS_UNSAFE:
		log_error("the terms were amended", "alert", "unsafe_window",
			  "why", unsafe);
		break;
	case WINDOWS_SAFE:
		warn(w);
		break;
	case WINDOWS_SAME:
		break;
	}
}

void watch_windows(struct watcher *w, const char *blind)
{
	const struct hatch_facts *f = &w->sight.facts;
	bool quiet;

	if (!w->sight.known)
		return;
	judge(w);
	if (blind[0])
		return; /* nobody knows */
	quiet = windows_quiet(w->config, f);
	if (quiet && !w->quiet)
		log_warn("quiet", "since", log_u64(f->last_at).s, "seconds",
			 log_u64(f->block.time - f->last_at).s, "allowed",
			 log_u64(windows_quiet_after(w->config, &f->terms)).s);
	else if (!quiet && w->quiet)
		log_notice("no longer quiet", "batch", log_u64(f->count).s);
	w->quiet = quiet;
}

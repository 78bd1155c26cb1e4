#include "config/settings.h"

#define NAMES_TEXT(...)
#define NAMES_VALUE(...)
#define NAMES_CHOICE(...)
#define NAMES_NUMBER(...)
#define NAMES_SECONDS(...)
#define NAMES_NONE()
#define NAMES_SECRET(field) .is_secret = true,
#define NAMES_LIVE
#define NAMES_RESTART .takes_restart = true,

const struct setting_info settings[SETTINGS] = {
#define JOB_SETTING(id, groups_, role, type, ...) [SET_##id] = {.groups = groups_, __VA_ARGS__},
#include "core/job.def"
#define SETTING(id, groups_, reload, type, ...)                                                    \
	[SET_##id] = {.groups = groups_, NAMES_##reload NAMES_##type __VA_ARGS__},
#include "config/program.def"
};

/*
 * A double of libnvidia-ml: two GPUs whose answers a test scripts call by call, through the functions stub_*.
 *
 * The structures are declared here from their documented members, and their layout is checked when this is compiled;
 * stub_layout tells it to the test, which compares it with what the daemon assumes. With -DOLD_DRIVER the functions
 * that drivers before 510 and 570 lack are not exported.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))
#define CODE_HANG (-1)
#define HOST (-1)
#define DEVICES 2
#define RULES_MAX 64
#define EVENTS_MAX 64

typedef struct { unsigned int gpu, memory; } utilization;
typedef struct { unsigned long long total, free, used; } memory_v1;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } memory_v2;
typedef struct { unsigned int version; unsigned int sensor; int temperature; } temperature_v1;
typedef struct {
    void *device;
    unsigned long long type, data;
    unsigned int gpu_instance, compute_instance;
} event_data;

_Static_assert(sizeof(utilization) == 8 && offsetof(utilization, memory) == 4, "utilization");
_Static_assert(sizeof(memory_v1) == 24 && offsetof(memory_v1, free) == 8 && offsetof(memory_v1, used) == 16, "memory");
_Static_assert(sizeof(memory_v2) == 40 && offsetof(memory_v2, total) == 8 && offsetof(memory_v2, reserved) == 16
        && offsetof(memory_v2, free) == 24 && offsetof(memory_v2, used) == 32, "memory, version 2");
_Static_assert(sizeof(temperature_v1) == 12 && offsetof(temperature_v1, temperature) == 8, "temperature");
_Static_assert(sizeof(event_data) == 32 && offsetof(event_data, type) == 8 && offsetof(event_data, data) == 16
        && offsetof(event_data, gpu_instance) == 24 && offsetof(event_data, compute_instance) == 28, "event");

typedef struct {
    const char *uuid, *name;
    unsigned int utilization, power;
    int temperature;
    unsigned long long total, reserved, used, ecc, registered;
} gpu;

static gpu gpus[DEVICES] = {
    {"GPU-aaaa1111-0000-4000-8000-000000000001", "Example A", 37, 120500, 45, 80ULL << 30, 1ULL << 30, 20ULL << 30, 0, 0},
    {"GPU-aabb2222-0000-4000-8000-000000000002", "Example B", 100, 65000, 61, 24ULL << 30, 1ULL << 30, 3ULL << 30, 2, 0},
};

/* What a function answers for a device instead of 0. */
typedef struct { char function[64]; int device, code; } rule;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static rule rules[RULES_MAX];
static int rule_count, hanging, sessions, event_sets, waits, count = DEVICES;
static event_data events[EVENTS_MAX];
static int event_count;
static unsigned long long supported = 0xc00f;

/* The code for a call; returns later where the script says that the call hangs. */
static int code_of(const char *function, int device) {
    int code = 0, waited = 0;
    pthread_mutex_lock(&lock);
    for (;;) {
        code = 0;
        for (int i = 0; i < rule_count; i++) {
            if (!strcmp(rules[i].function, function) && (rules[i].device == HOST || rules[i].device == device)) {
                code = rules[i].code;
            }
        }
        if (code != CODE_HANG) {
            break;
        }
        hanging += !waited;
        waited = 1;
        pthread_cond_wait(&changed, &lock);
    }
    hanging -= waited;
    if (code == 0 && sessions == 0 && strcmp(function, "nvmlInit_v2")) {
        code = 1;
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static int index_of(void *device) {
    return (int)((gpu *)device - gpus);
}

#define ANSWER(device) \
    do { \
        int code_ = code_of(__func__, device); \
        if (code_ != 0) return code_; \
    } while (0)

static int put(char *out, unsigned int length, const char *text) {
    if (strlen(text) >= length) {
        return 7;
    }
    strcpy(out, text);
    return 0;
}

/* The script. */

EXPORT void stub_answer(const char *function, int device, int code) {
    pthread_mutex_lock(&lock);
    if (rule_count < RULES_MAX && strlen(function) < sizeof rules[0].function) {
        strcpy(rules[rule_count].function, function);
        rules[rule_count].device = device;
        rules[rule_count++].code = code;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Happens now: lost where the GPU is not registered for it. */
EXPORT void stub_event(int device, unsigned long long type, unsigned long long data) {
    pthread_mutex_lock(&lock);
    if (event_count < EVENTS_MAX && (gpus[device].registered & type)) {
        events[event_count++] = (event_data){&gpus[device], type, data, ~0U, ~0U};
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* What there is to see of the other side; all bits set for a name that is none. */
EXPORT unsigned long long stub_figure(const char *name) {
    unsigned long long figure = ~0ULL;
    pthread_mutex_lock(&lock);
    if (!strcmp(name, "sessions")) figure = (unsigned long long)sessions;
    if (!strcmp(name, "event_sets")) figure = (unsigned long long)event_sets;
    if (!strcmp(name, "hanging")) figure = (unsigned long long)hanging;
    if (!strcmp(name, "waits")) figure = (unsigned long long)waits;
    if (!strcmp(name, "registered_0")) figure = gpus[0].registered;
    if (!strcmp(name, "registered_1")) figure = gpus[1].registered;
    pthread_mutex_unlock(&lock);
    return figure;
}

EXPORT void stub_set(const char *name, unsigned long long value) {
    pthread_mutex_lock(&lock);
    if (!strcmp(name, "count")) count = (int)value;
    if (!strcmp(name, "supported_events")) supported = value;
    if (!strcmp(name, "utilization_0")) gpus[0].utilization = (unsigned int)value;
    pthread_mutex_unlock(&lock);
}

/* Offset of a member, or size of a structure; all bits set for a name that is none. */
EXPORT unsigned long long stub_layout(const char *name) {
    static const struct { const char *name; size_t value; } known[] = {
        {"utilization", sizeof(utilization)}, {"utilization.gpu", offsetof(utilization, gpu)},
        {"utilization.memory", offsetof(utilization, memory)},
        {"memory", sizeof(memory_v1)}, {"memory.total", offsetof(memory_v1, total)},
        {"memory.free", offsetof(memory_v1, free)}, {"memory.used", offsetof(memory_v1, used)},
        {"memory_v2", sizeof(memory_v2)}, {"memory_v2.version", offsetof(memory_v2, version)},
        {"memory_v2.total", offsetof(memory_v2, total)}, {"memory_v2.reserved", offsetof(memory_v2, reserved)},
        {"memory_v2.free", offsetof(memory_v2, free)}, {"memory_v2.used", offsetof(memory_v2, used)},
        {"temperature", sizeof(temperature_v1)}, {"temperature.version", offsetof(temperature_v1, version)},
        {"temperature.sensor", offsetof(temperature_v1, sensor)},
        {"temperature.temperature", offsetof(temperature_v1, temperature)},
        {"event", sizeof(event_data)}, {"event.device", offsetof(event_data, device)},
        {"event.type", offsetof(event_data, type)}, {"event.data", offsetof(event_data, data)},
        {"event.gpuInstance", offsetof(event_data, gpu_instance)},
        {"event.computeInstance", offsetof(event_data, compute_instance)},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!strcmp(known[i].name, name)) {
            return known[i].value;
        }
    }
    return ~0ULL;
}

/* NVML. */

EXPORT int nvmlInit_v2(void) {
    ANSWER(HOST);
    pthread_mutex_lock(&lock);
    sessions++;
    pthread_mutex_unlock(&lock);
    return 0;
}

EXPORT int nvmlShutdown(void) {
    ANSWER(HOST);
    pthread_mutex_lock(&lock);
    sessions--;
    pthread_mutex_unlock(&lock);
    return 0;
}

EXPORT const char *nvmlErrorString(int code) {
    switch (code) {
    case 3: return "Not Supported";
    case 4: return "Insufficient Permissions";
    case 9: return "Driver Not Loaded";
    case 15: return "GPU is lost";
    case 18: return "Driver/library version mismatch";
    case 999: return "Unknown Error";
    default: return NULL;
    }
}

EXPORT int nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    ANSWER(HOST);
    return put(version, length, "580.1");
}

EXPORT int nvmlDeviceGetCount_v2(unsigned int *out) {
    ANSWER(HOST);
    *out = (unsigned int)count;
    return 0;
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    if (index >= (unsigned int)count) {
        return 2;
    }
    ANSWER((int)index);
    *device = &gpus[index];
    return 0;
}

EXPORT int nvmlDeviceGetUUID(void *device, char *out, unsigned int length) {
    ANSWER(index_of(device));
    return put(out, length, ((gpu *)device)->uuid);
}

EXPORT int nvmlDeviceGetName(void *device, char *out, unsigned int length) {
    ANSWER(index_of(device));
    return put(out, length, ((gpu *)device)->name);
}

EXPORT int nvmlDeviceGetUtilizationRates(void *device, utilization *out) {
    ANSWER(index_of(device));
    pthread_mutex_lock(&lock);
    *out = (utilization){((gpu *)device)->utilization, 12};
    pthread_mutex_unlock(&lock);
    return 0;
}

EXPORT int nvmlDeviceGetMemoryInfo(void *device, memory_v1 *out) {
    ANSWER(index_of(device));
    gpu *g = device;
    *out = (memory_v1){g->total, g->total - g->used - g->reserved, g->used + g->reserved};
    return 0;
}

EXPORT int nvmlDeviceGetTemperature(void *device, int sensor, unsigned int *out) {
    ANSWER(index_of(device));
    if (sensor != 0) {
        return 2;
    }
    *out = (unsigned int)((gpu *)device)->temperature;
    return 0;
}

#ifndef OLD_DRIVER
EXPORT int nvmlDeviceGetMemoryInfo_v2(void *device, memory_v2 *out) {
    ANSWER(index_of(device));
    if (out->version != 0x02000028) {
        return 25;
    }
    gpu *g = device;
    *out = (memory_v2){out->version, g->total, g->reserved, g->total - g->used - g->reserved, g->used};
    return 0;
}

EXPORT int nvmlDeviceGetTemperatureV(void *device, temperature_v1 *out) {
    ANSWER(index_of(device));
    if (out->version != 0x0100000c) {
        return 25;
    }
    if (out->sensor != 0) {
        return 2;
    }
    out->temperature = ((gpu *)device)->temperature;
    return 0;
}
#endif

EXPORT int nvmlDeviceGetPowerUsage(void *device, unsigned int *out) {
    ANSWER(index_of(device));
    *out = ((gpu *)device)->power;
    return 0;
}

EXPORT int nvmlDeviceGetTotalEccErrors(void *device, int type, int counter, unsigned long long *out) {
    ANSWER(index_of(device));
    *out = type == 1 && counter == 0 ? ((gpu *)device)->ecc : 12345;
    return 0;
}

EXPORT int nvmlDeviceGetSupportedEventTypes(void *device, unsigned long long *out) {
    ANSWER(index_of(device));
    *out = supported;
    return 0;
}

EXPORT int nvmlEventSetCreate(void **set) {
    ANSWER(HOST);
    pthread_mutex_lock(&lock);
    event_sets++;
    pthread_mutex_unlock(&lock);
    *set = events;
    return 0;
}

EXPORT int nvmlEventSetFree(void *set) {
    ANSWER(HOST);
    if (set != events) {
        return 2;
    }
    pthread_mutex_lock(&lock);
    event_sets--;
    pthread_mutex_unlock(&lock);
    return 0;
}

EXPORT int nvmlDeviceRegisterEvents(void *device, unsigned long long types, void *set) {
    ANSWER(index_of(device));
    if (set != events || types == 0) {
        return 2;
    }
    if (types & ~supported) {
        return 3;
    }
    pthread_mutex_lock(&lock);
    ((gpu *)device)->registered = types;
    pthread_mutex_unlock(&lock);
    return 0;
}

EXPORT int nvmlEventSetWait_v2(void *set, event_data *out, unsigned int timeout_ms) {
    pthread_mutex_lock(&lock);
    waits++;
    pthread_mutex_unlock(&lock);
    ANSWER(HOST);
    if (set != events) {
        return 2;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    long long ns = until.tv_nsec + timeout_ms % 1000 * 1000000LL;
    until.tv_sec += timeout_ms / 1000 + ns / 1000000000;
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&lock);
    int late = 0;
    while (event_count == 0 && !late) {
        late = pthread_cond_timedwait(&changed, &lock, &until);
    }
    int code = event_count == 0 ? 10 : 0;
    if (event_count > 0) {
        *out = events[0];
        memmove(events, events + 1, (size_t)--event_count * sizeof events[0]);
    }
    pthread_mutex_unlock(&lock);
    return code;
}

/* The driver with its registers in the hands of whoever loads this library. */
#define HIL_ETHOSU_HOOKED
#define HIL_ETHOSU_POLLS 1000U
#include <stdint.h>

static uint32_t cache_line(void);
static void clean_and_invalidate(uintptr_t line);
static void finish_cleaning(void);

#include "hil_ethosu.c"

typedef uint32_t get_hook(uint32_t offset);
typedef void put_hook(uint32_t offset, uint32_t value);
typedef void begin_hook(uint32_t config, const uint32_t *sizes, uint32_t regions);

static get_hook *on_get;
static put_hook *on_put;
static begin_hook *on_begin;
static void (*on_wait)(void);
static uint32_t line_bytes;
static void (*on_clean)(uintptr_t line);

void set_hooks(get_hook *get, put_hook *put, begin_hook *begin, void (*wait)(void))
{
    on_get = get;
    on_put = put;
    on_begin = begin;
    on_wait = wait;
}

/* A data cache with lines of so many bytes; 0 for none. */
void set_cache(uint32_t bytes, void (*clean)(uintptr_t line))
{
    line_bytes = bytes;
    on_clean = clean;
}

static uint32_t cache_line(void)
{
    return line_bytes;
}

static void clean_and_invalidate(uintptr_t line)
{
    on_clean(line);
}

static void finish_cleaning(void)
{
    on_clean(UINTPTR_MAX);
}

uint32_t hil_ethosu_get(uint32_t offset)
{
    return on_get(offset);
}

void hil_ethosu_put(uint32_t offset, uint32_t value)
{
    on_put(offset, value);
}

void hil_ethosu_begin(uint32_t config, const uint32_t sizes[], uint32_t regions)
{
    on_begin(config, sizes, regions);
}

void hil_ethosu_wait(void)
{
    on_wait();
}

/* The driver with its registers in the hands of whoever loads this library. */
#define HIL_ETHOSU_HOOKED
#define HIL_ETHOSU_POLLS 1000U
#include "hil_ethosu.c"

typedef uint32_t get_hook(uint32_t offset);
typedef void put_hook(uint32_t offset, uint32_t value);
typedef void begin_hook(uint32_t config, const uint32_t *sizes, uint32_t regions);

static get_hook *on_get;
static put_hook *on_put;
static begin_hook *on_begin;
static void (*on_wait)(void);

void set_hooks(get_hook *get, put_hook *put, begin_hook *begin, void (*wait)(void))
{
    on_get = get;
    on_put = put;
    on_begin = begin;
    on_wait = wait;
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

#include "hil_ethosu.h"

#include "kernel.h"

#ifndef HIL_ETHOSU_BASE
#define HIL_ETHOSU_BASE 0x48102000U
#endif
#ifndef HIL_ETHOSU_PROT
#define HIL_ETHOSU_PROT 1U
#endif
#ifndef HIL_ETHOSU_QCONFIG
#define HIL_ETHOSU_QCONFIG 2U
#endif
#ifndef HIL_ETHOSU_AXI_LIMIT
#define HIL_ETHOSU_AXI_LIMIT 0x0F1F0000U /* bursts of 64 bytes, 32 reads and 16 writes under way */
#endif
#ifndef HIL_ETHOSU_POLLS
#define HIL_ETHOSU_POLLS 200000000U
#endif
#define RESET_POLLS 100000U

#define STATUS 0x004U
#define CMD 0x008U
#define RESET 0x00CU
#define QBASE 0x010U
#define QREAD 0x018U
#define QCONFIG 0x01CU
#define QSIZE 0x020U
#define PROT 0x024U
#define CONFIG 0x028U
#define REGIONCFG 0x03CU
#define AXI_LIMIT 0x040U
#define BASEP 0x080U
#define PMCR 0x180U
#define PMCNTENSET 0x184U
#define PMCCNTR_LO 0x1A0U
#define PMCCNTR_HI 0x1A4U
#define PMCCNTR_CFG 0x1A8U
#define PMEVCNTR 0x300U
#define PMEVTYPER 0x380U

#define STATUS_RUNNING 0x001U
#define STATUS_BUS 0x004U
#define STATUS_RESETTING 0x008U
#define STATUS_PARSE 0x010U
#define STATUS_END 0x020U
#define STATUS_WEIGHTS 0x080U
#define STATUS_ECC 0x100U

#define CMD_AWAKE 0x00U /* clock and power stay on */
#define CMD_RUN 0x01U
#define CMD_CLEAR_IRQ 0x02U
#define CMD_MAY_SLEEP 0x0CU /* clock and power may be taken away, and what the registers hold with them */

#define CONFIG_BUILD 0xF000FF0FU /* product, SHRAM and multipliers */
#define CONFIG_MACS 0xFU
#define CONFIG_PRODUCT 28
#define PRODUCT_U55 0U
#define PRODUCT_U65 1U
#define ADDRESS_BITS_U65 40

#define COUNT 0x01U
#define CLEAR_COUNTERS 0x06U
#define ALL_COUNTERS 0x8000000FU
#define EVENT_CYCLE 0x11U
#define EVENT_IDLE 0x20U
#define EVENT_ACTIVE 0x23U
#define EVENT_AXI0_READ 0x082U
#define EVENT_AXI0_WRITE 0x087U
#define EVENT_AXI1_READ 0x182U
#define EVENT_AXI1_WRITE 0x187U

static hil_ethosu_counters hil_ethosu_record; /* debuggers find it by this name, and read it as it is */

_Static_assert(sizeof(hil_ethosu_counters) == 48, "as harness/boards/npu_record.py reads it");

#if defined(__GNUC__)
extern void hil_ethosu_wait(void) __attribute__((weak));
#define WAIT()                 \
    do {                       \
        if (hil_ethosu_wait) { \
            hil_ethosu_wait(); \
        }                      \
    } while (0)
#define BARRIER() __asm__ volatile("" : : : "memory")
#else
#define WAIT() ((void)0)
#define BARRIER() ((void)0)
#endif

#ifndef HIL_ETHOSU_HOOKED /* whoever defines it has functions of these names of their own */

HIL_SHARED uint32_t hil_ethosu_get(uint32_t offset)
{
    return *(const volatile uint32_t *)((uintptr_t)HIL_ETHOSU_BASE + offset);
}

HIL_SHARED void hil_ethosu_put(uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)((uintptr_t)HIL_ETHOSU_BASE + offset) = value;
}

HIL_SHARED void hil_ethosu_begin(uint32_t config, const uint32_t sizes[], uint32_t regions)
{
    (void)config;
    (void)sizes;
    (void)regions;
    BARRIER();
}

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'

#define SCB_CCR (*(const volatile uint32_t *)0xE000ED14U)
#define SCB_CTR (*(const volatile uint32_t *)0xE000ED7CU)
#define SCB_DCCIMVAC (*(volatile uint32_t *)0xE000EF70U)
#define CCR_DC (1U << 16)

/* Bytes of a line of the data cache; 0 where it is off or missing */
static uint32_t cache_line(void)
{
    __asm__ volatile("dsb" : : : "memory");
    return (SCB_CCR & CCR_DC) != 0U ? 4U << (SCB_CTR >> 16 & 0xFU) : 0U;
}

static void clean_and_invalidate(uintptr_t line)
{
    SCB_DCCIMVAC = (uint32_t)line;
}

static void finish_cleaning(void)
{
    __asm__ volatile("dsb\n\tisb" : : : "memory");
}

#else

static uint32_t cache_line(void)
{
    BARRIER();
    return 0;
}

static void clean_and_invalidate(uintptr_t line)
{
    (void)line;
}

static void finish_cleaning(void)
{
}

#endif
#endif

/* Cleans and invalidates the data cache where it is on. After a run, too: that does not lose what others wrote into lines at
 * the edges, which invalidating alone would. */
static void synchronise(const void *const bases[], const uint32_t sizes[], uint32_t regions)
{
    const uintptr_t line = cache_line();
    if (line == 0U) {
        return;
    }
    for (uint32_t region = 0; region < regions; ++region) {
        if (sizes[region] != 0U) {
            const uintptr_t last = (uintptr_t)bases[region] + (sizes[region] - 1U);
            for (uintptr_t at = (uintptr_t)bases[region] & ~(line - 1U); at <= last && at + line > at; at += line) {
                clean_and_invalidate(at);
            }
        }
    }
    finish_cleaning();
}

HIL_SHARED const hil_ethosu_counters *hil_ethosu_last(void)
{
    return &hil_ethosu_record;
}

HIL_SHARED void hil_ethosu_irq(void)
{
    hil_ethosu_put(CMD, CMD_CLEAR_IRQ);
}

/* Both words of an address */
static void put_address(uint32_t offset, const void *place)
{
    const uint64_t address = (uint64_t)(uintptr_t)place;
    hil_ethosu_put(offset, (uint32_t)address);
    hil_ethosu_put(offset + 4U, (uint32_t)(address >> 32));
}

static int32_t reset(void)
{
    hil_ethosu_put(RESET, HIL_ETHOSU_PROT);
    for (uint32_t polls = 0; (hil_ethosu_get(STATUS) & STATUS_RESETTING) != 0U; ++polls) {
        if (polls == RESET_POLLS) {
            return HIL_ETHOSU_RESET;
        }
    }
    return hil_ethosu_get(PROT) == HIL_ETHOSU_PROT ? HIL_ETHOSU_OK : HIL_ETHOSU_RESET;
}

/* Whether all addresses are multiples of 16 and within reach: 32 bits of a U55, 40 of a U65 */
static int32_t fits(const void *place, uint32_t size, uint32_t product)
{
    const uint64_t address = (uint64_t)(uintptr_t)place;
    const uint64_t reach = UINT64_C(1) << (product == PRODUCT_U55 ? 32 : ADDRESS_BITS_U65);
    return (address & 15U) == 0U && address <= reach && size <= reach - address;
}

static int32_t check(const uint32_t *commands, uint32_t count, uint32_t product, const void *const bases[],
                     const uint32_t sizes[], uint32_t regions)
{
    if (product > PRODUCT_U65 || count == 0U || count > UINT32_MAX / 4U || regions > HIL_ETHOSU_REGIONS ||
        !fits(commands, 4U * count, product)) {
        return HIL_ETHOSU_ARGUMENT;
    }
    for (uint32_t region = 0; region < regions; ++region) {
        if (sizes[region] != 0U && !fits(bases[region], sizes[region], product)) {
            return HIL_ETHOSU_ARGUMENT;
        }
    }
    return HIL_ETHOSU_OK;
}

/* The NPU is there, of that build, and free */
static int32_t identify(uint32_t config)
{
    const uint32_t found = hil_ethosu_get(CONFIG);
    if ((found & CONFIG_MACS) == 0U || found == UINT32_MAX) {
        return HIL_ETHOSU_ABSENT;
    }
    if (((found ^ config) & CONFIG_BUILD) != 0U) {
        return HIL_ETHOSU_OTHER;
    }
    return (hil_ethosu_get(STATUS) & STATUS_RUNNING) != 0U ? HIL_ETHOSU_BUSY : HIL_ETHOSU_OK;
}

static void set_counters(uint32_t product)
{
    const uint32_t u65 = product == PRODUCT_U65;
    hil_ethosu_put(PMCR, COUNT | CLEAR_COUNTERS);
    hil_ethosu_put(PMCCNTR_CFG, u65 ? EVENT_ACTIVE | EVENT_IDLE << 16 : EVENT_CYCLE);
    hil_ethosu_put(PMEVTYPER, EVENT_AXI0_READ);
    hil_ethosu_put(PMEVTYPER + 4U, EVENT_AXI0_WRITE);
    hil_ethosu_put(PMEVTYPER + 8U, EVENT_AXI1_READ);
    hil_ethosu_put(PMEVTYPER + 12U, u65 ? EVENT_AXI1_WRITE : EVENT_ACTIVE);
    hil_ethosu_put(PMCNTENSET, ALL_COUNTERS);
}

static void read_counters(uint32_t product)
{
    hil_ethosu_counters *const record = &hil_ethosu_record;
    hil_ethosu_put(PMCR, 0U); /* they stand still, so the halves of one belong together */
    const uint64_t cycles = hil_ethosu_get(PMCCNTR_LO) | (uint64_t)(hil_ethosu_get(PMCCNTR_HI) & 0xFFFFU) << 32;
    record->axi0_read = hil_ethosu_get(PMEVCNTR);
    record->axi0_write = hil_ethosu_get(PMEVCNTR + 4U);
    record->axi1_read = hil_ethosu_get(PMEVCNTR + 8U);
    const uint32_t last = hil_ethosu_get(PMEVCNTR + 12U);
    record->axi1_write = product == PRODUCT_U65 ? last : 0U;
    record->cycles_active = product == PRODUCT_U65 ? cycles : last;
    record->cycles_idle = cycles - record->cycles_active;
}

static void configure(const uint32_t *commands, uint32_t count, uint32_t product, const void *const bases[],
                      const uint32_t sizes[], uint32_t regions)
{
#ifdef HIL_ETHOSU_REGIONCFG
    const uint32_t ports = HIL_ETHOSU_REGIONCFG;
#else
    /* constants on AXI1; a U65's arena, too; the rest on AXI0: what Vela takes for granted unless told otherwise */
    const uint32_t ports = product == PRODUCT_U65 ? 0x000BU : 0x0003U;
#endif
    hil_ethosu_put(CMD, CMD_AWAKE);
    hil_ethosu_put(QCONFIG, HIL_ETHOSU_QCONFIG);
    hil_ethosu_put(REGIONCFG, ports);
    for (uint32_t port = 0; port < 4U; ++port) {
        hil_ethosu_put(AXI_LIMIT + 4U * port, HIL_ETHOSU_AXI_LIMIT);
    }
    for (uint32_t region = 0; region < regions; ++region) {
        if (sizes[region] != 0U) {
            put_address(BASEP + 8U * region, bases[region]);
        }
    }
    put_address(QBASE, commands);
    hil_ethosu_put(QSIZE, 4U * count);
    set_counters(product);
}

static int32_t result_of(uint32_t status)
{
    if ((status & STATUS_BUS) != 0U) {
        return HIL_ETHOSU_BUS;
    }
    if ((status & STATUS_PARSE) != 0U) {
        return HIL_ETHOSU_COMMAND;
    }
    if ((status & STATUS_WEIGHTS) != 0U) {
        return HIL_ETHOSU_WEIGHTS;
    }
    if ((status & STATUS_ECC) != 0U) {
        return HIL_ETHOSU_ECC;
    }
    return (status & STATUS_END) != 0U ? HIL_ETHOSU_OK : HIL_ETHOSU_UNENDED;
}

/* Starts the NPU and waits for its end */
static int32_t start(uint32_t product)
{
    hil_ethosu_put(CMD, CMD_RUN);
    uint32_t status = hil_ethosu_get(STATUS);
    for (uint32_t polls = 1; (status & STATUS_RUNNING) != 0U && polls < HIL_ETHOSU_POLLS; ++polls) {
        WAIT();
        status = hil_ethosu_get(STATUS);
    }
    hil_ethosu_record.status = status;
    hil_ethosu_record.at = hil_ethosu_get(QREAD);
    read_counters(product);
    return (status & STATUS_RUNNING) != 0U ? HIL_ETHOSU_TIMEOUT : result_of(status);
}

static int32_t run(const uint32_t *commands, uint32_t count, uint32_t config, const void *const bases[],
                   const uint32_t sizes[], uint32_t regions)
{
    const uint32_t product = config >> CONFIG_PRODUCT;
    int32_t result = check(commands, count, product, bases, sizes, regions);
    if (result == HIL_ETHOSU_OK) {
        hil_ethosu_begin(config, sizes, regions);
        result = identify(config);
    }
    if (result == HIL_ETHOSU_OK) {
        result = reset();
    }
    if (result != HIL_ETHOSU_OK) {
        return result;
    }
    configure(commands, count, product, bases, sizes, regions);
    const void *const stream = commands;
    const uint32_t bytes = 4U * count;
    synchronise(&stream, &bytes, 1U);
    synchronise(bases, sizes, regions);
    result = start(product);
    if (result == HIL_ETHOSU_OK) {
        hil_ethosu_put(CMD, CMD_CLEAR_IRQ | CMD_MAY_SLEEP);
    } else {
        (void)reset(); /* ends whatever it still does; the next run resets it again */
    }
    if (regions > 1U) {
        synchronise(bases + 1, sizes + 1, regions - 1U);
    }
    return result;
}

HIL_SHARED int32_t hil_ethosu_run(const uint32_t *commands, uint32_t count, uint32_t config, const void *const bases[],
                                  const uint32_t sizes[], uint32_t regions)
{
    const uint32_t runs = hil_ethosu_record.runs;
    hil_ethosu_record = (hil_ethosu_counters){0};
    hil_ethosu_record.runs = runs + 1U;
    hil_ethosu_record.result = run(commands, count, config, bases, sizes, regions);
    return hil_ethosu_record.result;
}

/* A program that is no model: a matrix product, a checksum, a list, a state machine, and a timer that interrupts them. */
#include <stddef.h>
#include <stdint.h>

#ifdef MARKED
#include "tinyhil_regions.h"
#else
#define HIL_REGION_BEGIN(name)
#define HIL_REGION_END(name)
#endif

#define SIZE 8
#define NODES 24

extern uint32_t stack_end[], data_start[], data_end[], data_from[], bss_start[], bss_end[];
int main(void);
void reset(void);
void stop(void);
void timer(void);
void finished(void);

typedef struct node {
    struct node *next;
    int32_t value;
} node;

volatile uint32_t ticks, result;
static int32_t left[SIZE][SIZE], right[SIZE][SIZE], product[SIZE][SIZE];
static node nodes[NODES];
uint8_t text[64] = "12,3.5e2,-7,+8,a,0x1f,99,.5,1e,--";

__attribute__((noinline)) void matrix_multiply(void)
{
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            int32_t sum = 0;
            for (int k = 0; k < SIZE; k++) {
                sum += left[i][k] * right[k][j];
            }
            product[i][j] = sum;
        }
    }
}

__attribute__((noinline)) uint32_t crc_byte(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1U) != 0U ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
    }
    return crc;
}

__attribute__((noinline)) uint32_t crc_text(void)
{
    uint32_t crc = UINT32_MAX;
    HIL_REGION_BEGIN("checksum");
    for (size_t i = 0; i < sizeof text; i++) {
        crc = crc_byte(crc, text[i]);
    }
    HIL_REGION_END("checksum");
    return crc;
}

/* A loop, unless the compiler leaves the recursion. */
__attribute__((noinline, optimize("no-optimize-sibling-calls"))) int32_t list_sum(const node *at)
{
    return at == NULL ? 0 : at->value + list_sum(at->next);
}

__attribute__((noinline)) uint32_t list_work(uint32_t seed)
{
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i].next = i + 1U < NODES ? &nodes[i + 1U] : NULL;
        nodes[i].value = (int32_t)(seed * (i + 1U) % 97U);
    }
    return (uint32_t)list_sum(nodes);
}

__attribute__((noinline)) uint32_t state_machine(void)
{
    uint32_t state = 0, found = 0;
    for (size_t i = 0; i < sizeof text; i++) {
        switch (text[i]) {
        case ',':
            found += state;
            state = 0;
            break;
        case '+':
        case '-':
            state = state == 0U ? 1U : 7U;
            break;
        case '.':
            state = state < 3U ? 3U : 7U;
            break;
        case 'e':
            state = state < 4U ? 4U : 7U;
            break;
        default:
            state = text[i] >= '0' && text[i] <= '9' ? (state < 2U ? 2U : state) : 7U;
        }
    }
    return found + state;
}

__attribute__((noinline)) uint32_t last_step(uint32_t value)
{
    return value * 2654435761U;
}

/* Ends with a jump, not a call. */
__attribute__((noinline)) uint32_t hand_over(uint32_t value)
{
    return last_step(value + 1U);
}

int main(void)
{
    uint32_t sum = 0;
    for (int round = 0; round < 3; round++) {
        HIL_REGION_BEGIN("round");
        for (int i = 0; i < SIZE; i++) {
            for (int j = 0; j < SIZE; j++) {
                left[i][j] = i + j + round;
                right[i][j] = i - j;
            }
        }
        matrix_multiply();
        sum += (uint32_t)product[3][5] + crc_text();
        sum += list_work(sum);
        HIL_REGION_BEGIN("machine");
        sum += state_machine();
        HIL_REGION_END("machine");
        sum = hand_over(sum);
        HIL_REGION_END("round");
    }
    result = sum;
    return 0;
}

__attribute__((noinline)) void finished(void)
{
    for (;;) {
    }
}

void reset(void)
{
    *(volatile uint32_t *)0xE000ED88U |= 0xFU << 20; /* CPACR: floating point and vectors, where the core has them */
    uint32_t *from = data_from;
    for (uint32_t *to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    *(volatile uint32_t *)0xE000E014U = TICKS; /* SysTick: reload, value, control */
    *(volatile uint32_t *)0xE000E018U = 0;
    *(volatile uint32_t *)0xE000E010U = 7;
    (void)main();
    finished();
}

static __attribute__((noinline)) void count_tick(void)
{
    ticks++;
}

void timer(void)
{
    count_tick();
    ticks += crc_byte(0, 1) == 0U;
}

void stop(void)
{
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)stack_end, (uintptr_t)reset, (uintptr_t)stop, (uintptr_t)stop, (uintptr_t)stop, (uintptr_t)stop,
    (uintptr_t)stop,      0,                0,               0,               0,               (uintptr_t)stop,
    (uintptr_t)stop,      0,                (uintptr_t)stop, (uintptr_t)timer,
};

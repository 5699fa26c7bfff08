/* A user's firmware around a generated package, as small as it can be: vectors, start, and newlib's output by semihosting. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

extern uint32_t stack_end[], data_from[], data_start[], data_end[], bss_start[], bss_end[], heap_start[];
int main(void);
void reset(void);
int _write(int file, const char *text, int count);
void *_sbrk(ptrdiff_t more);
_Noreturn void _exit(int code);

static uint32_t semihosting(uint32_t operation, const volatile void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const volatile void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

int _write(int file, const char *text, int count)
{
    (void)file;
    for (int i = 0; i < count; ++i) {
        (void)semihosting(0x03, &text[i]); /* SYS_WRITEC */
    }
    return count;
}

void *_sbrk(ptrdiff_t more)
{
    static uint8_t *top = (uint8_t *)heap_start;
    uint8_t *at = top;
    top += more;
    return at;
}

_Noreturn void _exit(int code)
{
    const volatile uint32_t block[2] = {0x20026, (uint32_t)code}; /* ADP_Stopped_ApplicationExit */
    for (;;) {
        (void)semihosting(0x20, block); /* SYS_EXIT_EXTENDED */
    }
}

static void fault(void)
{
    _exit(99);
}

void reset(void)
{
    *(volatile uint32_t *)0xE000ED88U |= 0xFU << 20; /* CPACR: floating point and vectors, where there are any */
    __asm__ volatile("dsb\nisb" ::: "memory");
    memcpy(data_start, data_from, (size_t)((uint8_t *)data_end - (uint8_t *)data_start));
    memset(bss_start, 0, (size_t)((uint8_t *)bss_end - (uint8_t *)bss_start));
    const int code = main();
    fflush(NULL);
    _exit(code);
}

__attribute__((section(".vectors"), used)) static const union {
    void (*handler)(void);
    const void *stack;
} vectors[16] = {
    {.stack = stack_end}, {.handler = reset}, {.handler = fault}, {.handler = fault}, {.handler = fault},
    {.handler = fault},   {.handler = fault}, {.handler = fault}, {.handler = fault}, {.handler = fault},
    {.handler = fault},   {.handler = fault}, {.handler = fault}, {.handler = fault}, {.handler = fault},
    {.handler = fault},
};

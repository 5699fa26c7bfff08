/* Regions of a program for `tinyhil profile --elf`: what lies between a beginning and an end is a region of that name.
 *
 *     HIL_REGION_BEGIN("filter");
 *     ...
 *     HIL_REGION_END("filter");
 *
 * A marker is no instruction and takes no byte of memory: it is the address of what follows it, in a section that debuggers
 * read and that is never loaded. It only keeps the compiler from moving loads and stores across it. Regions nest; one ends
 * at the latest with the function that it begins in. GCC and Clang, C and C++, Thumb.
 */
#ifndef TINYHIL_REGIONS_H
#define TINYHIL_REGIONS_H

#define HIL_REGION_BEGIN(name) HIL_REGION_MARK("b", name)
#define HIL_REGION_END(name) HIL_REGION_MARK("e", name)

#define HIL_REGION_MARK(kind, name)                                                                                    \
    __asm__ volatile("779:\n\t"                                                                                            \
                     ".pushsection .debug_tinyhil_regions\n\t"                                                             \
                     ".4byte 779b\n\t"                                                                                     \
                     ".asciz \"" kind name "\"\n\t"                                                                        \
                     ".popsection"                                                                                         \
                     :                                                                                                     \
                     :                                                                                                     \
                     : "memory")

#endif

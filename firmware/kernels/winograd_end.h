/* What follows the channels of each of a tile's positions in Winograd's convolutions. */
#ifndef HIL_KERNELS_WINOGRAD_END_H
#define HIL_KERNELS_WINOGRAD_END_H

/* Marks the end, and no transformed input can look like it. A constant that CMP takes. */
#define HIL_WINOGRAD_END 0x7f007f00

/* Words after a position's channels: the mark, and whether it was the last position. */
#define HIL_WINOGRAD_END_WORDS 2

#endif

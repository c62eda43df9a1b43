#include "mutation_switch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int32_t mutation_active = 0;
uint8_t *mutation_reached = NULL;
int32_t mutation_reached_count = 0;

__attribute__((constructor)) static void read_environment(void) {
    const char *active = getenv("MUTANT");
    if (active) mutation_active = (int32_t)strtol(active, NULL, 10);
    const char *path = getenv("MUTATION_REACHED");
    if (!path) return;
    int file = open(path, O_RDWR | O_CLOEXEC);
    struct stat information;
    if (file < 0 || fstat(file, &information) != 0) abort();
    void *bytes = mmap(NULL, (size_t)information.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED) abort();
    close(file);
    mutation_reached_count = (int32_t)information.st_size;
    mutation_reached = bytes;
}

int32_t mutation_take_reached(int32_t *numbers, int32_t capacity) {
    int32_t count = 0;
    for (int32_t number = 0; number < mutation_reached_count && count < capacity; number++)
        if (__atomic_exchange_n(&mutation_reached[number], 0, __ATOMIC_RELAXED)) numbers[count++] = number;
    return count;
}

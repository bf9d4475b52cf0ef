package change_test

import (
	"os/signal"
	"syscall"
)

func init() {
	limit = func(bytes uint64) error {
		signal.Ignore(syscall.SIGXFSZ)
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes})
	}
}

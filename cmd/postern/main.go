// Command postern finds and judges the back doors of managed databases on Azure.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/posternhq/postern/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// Nobody reading any more is a failed write, and no reason to die in the middle
	// of a change.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	// The first Ctrl-C ends the work cleanly; a second one ends the program.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, os.Args[1:], cli.System()))
}

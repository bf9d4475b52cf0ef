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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first Ctrl-C ends the work cleanly; a second one ends the program.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, os.Args[1:], cli.System()))
}

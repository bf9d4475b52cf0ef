package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/posternhq/postern/collect/azure"
)

// showProgress keeps one line on the terminal up to date until the returned
// function is called, which wipes it.
func showProgress(terminal io.Writer, c *azure.Collector) (stop func()) {
	const often = 100 * time.Millisecond
	done := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		ticker := time.NewTicker(often)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				fmt.Fprintf(terminal, "\r\x1b[K%s", progressLine(c.Progress()))
			case <-done:
				fmt.Fprint(terminal, "\r\x1b[K")
				return
			}
		}
	})
	return func() {
		close(done)
		drawing.Wait()
	}
}

func progressLine(p azure.Progress) string {
	if p.Subscriptions == 0 {
		return "Asking Azure for subscriptions…"
	}
	line := fmt.Sprintf("%d of %d subscriptions, %d servers, %d calls", p.SubscriptionsDone, p.Subscriptions, p.Servers, p.Calls)
	if p.Waiting > 0 {
		line += fmt.Sprintf(", waiting for Azure (%d calls held back)", p.Waiting)
	}
	return line
}

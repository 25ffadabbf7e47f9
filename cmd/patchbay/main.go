// Command patchbay is a gateway for equipment that speaks only its maker's private network protocol.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/patchbay-io/patchbay/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.LookupEnv)
	stop()
	os.Exit(code)
}

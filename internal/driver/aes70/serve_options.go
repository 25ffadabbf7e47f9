package aes70

import "github.com/patchbay-io/patchbay/internal/oca"

// ServeOptions are those of the server that AES70 controllers connect to. Start from [Driver.ServeOptions].
type ServeOptions = oca.Options

func serveDefaults() *ServeOptions { return oca.Defaults() }

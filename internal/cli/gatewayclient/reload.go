package gatewayclient

import (
	"context"
	"net/http"
	"net/url"
)

// Reload is what a changed configuration does, or would do.
type Reload struct {
	Applied bool           `json:"applied"`
	Devices []ReloadDevice `json:"devices"`
	Restart []string       `json:"restart"`
}

// ReloadDevice is what becomes of one device: added, removed, restarted, changed or unchanged.
type ReloadDevice struct {
	Device string   `json:"device"`
	What   string   `json:"what"`
	Keys   []string `json:"keys"`
}

// Reload makes the gateway read its configuration again; with dryRun it only says what that would do.
func (c *Client) Reload(ctx context.Context, dryRun bool) (Reload, error) {
	var q url.Values
	if dryRun {
		q = url.Values{"dry_run": {"true"}}
	}
	var out Reload
	err := c.call(ctx, http.MethodPost, "/reload", q, nil, &out)
	return out, err
}

package config

import (
	"fmt"
	"strings"
)

// Explain is the expanded form of the whole configuration as YAML, each line with where its value came from. Secrets are
// hidden; a value that was given as a reference is shown as the reference. What it prints can be loaded again.
func (c *Config) Explain() string {
	var rows []row
	add := func(indent int, key, value, origin string) {
		if origin == "" {
			origin = "default"
		}
		rows = append(rows, row{strings.Repeat("  ", indent) + key + ": " + value, origin})
	}
	head := func(indent int, key string) { rows = append(rows, row{strings.Repeat("  ", indent) + key + ":", ""}) }

	add(0, "version", fmt.Sprint(c.Version), c.origins["version"])
	add(0, "listen", flow(c.Listen), c.origins["listen"])
	add(0, "hosts", flowList(c.Hosts), c.origins["hosts"])
	head(0, "log")
	add(1, "level", c.Log.Level, c.origins["log.level"])
	add(1, "format", c.Log.Format, c.origins["log.format"])
	if len(c.Devices) == 0 {
		add(0, "devices", "{}", "")
		return align(rows)
	}
	head(0, "devices")
	for _, d := range c.Devices {
		head(1, d.Name)
		labels := false
		for _, s := range d.settings {
			if name, ok := strings.CutPrefix(s.key, "labels."); ok {
				if !labels {
					labels = true
					head(2, "labels")
				}
				add(3, name, flow(s.text), s.origin)
				continue
			}
			text := s.text
			if s.key == "url" || strings.Contains(text, "${") && !strings.HasPrefix(text, `"`) && !strings.HasPrefix(text, "[") {
				text = flow(text)
			}
			add(2, s.key, text, s.origin)
		}
	}
	return align(rows)
}

type row struct{ text, origin string }

// align puts the origins into one column.
func align(rows []row) string {
	width := 0
	for _, r := range rows {
		if n := len([]rune(r.text)); r.origin != "" && n > width && n <= 60 {
			width = n
		}
	}
	var b strings.Builder
	for _, r := range rows {
		if r.origin == "" {
			b.WriteString(r.text + "\n")
			continue
		}
		fmt.Fprintf(&b, "%-*s  # %s\n", width, r.text, r.origin)
	}
	return b.String()
}

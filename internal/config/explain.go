package config

import (
	"fmt"
	"strings"
)

// Explain is the expanded form of the whole configuration as YAML, each line with where its value came from. Secrets are
// hidden; a value that was given as a reference is shown as the reference. What it prints can be loaded again once hashes of
// passwords and tokens are put back.
func (c *Config) Explain() string {
	var rows []row
	add := func(indent int, key, value, origin string) {
		if origin == "" {
			origin = "default"
		}
		rows = append(rows, row{strings.Repeat("  ", indent) + key + ": " + value, origin})
	}
	head := func(indent int, key string) { rows = append(rows, row{strings.Repeat("  ", indent) + key + ":", ""}) }

	section := ""
	for _, s := range c.settings() {
		name, key, nested := strings.Cut(s.key, ".")
		switch {
		case !nested:
			add(0, s.key, s.text, s.origin)
			continue
		case name != section:
			head(0, name)
			section = name
		}
		add(1, key, s.text, s.origin)
	}
	if len(c.Devices) == 0 {
		add(0, "devices", "{}", "")
		return align(rows)
	}
	head(0, "devices")
	for _, d := range c.Devices {
		head(1, d.Name)
		var in []string // the sections around the last setting
		for _, s := range d.settings {
			names := strings.Split(s.key, ".")
			sections, key := names[:len(names)-1], names[len(names)-1]
			for k, name := range sections {
				if k >= len(in) || in[k] != name {
					head(2+k, name)
					in = append(in[:k:k], name)
				}
			}
			in = sections
			text := s.text
			if s.key == "url" || len(in) > 0 && in[0] == "labels" ||
				strings.Contains(text, "${") && !strings.HasPrefix(text, `"`) && !strings.HasPrefix(text, "[") {
				text = flow(text)
			}
			add(2+len(in), key, text, s.origin)
		}
	}
	return align(rows)
}

// settings are those of the gateway itself, for Explain and [Compare]. A dot in the key leads into a section; the keys of a
// section stand together.
func (c *Config) settings() []setting {
	var out []setting
	add := func(key, text string) { out = append(out, setting{key, text, c.origins[key]}) }
	add("version", fmt.Sprint(c.Version))
	add("listen", flow(c.Listen))
	add("hosts", flowList(c.Hosts))
	add("log.level", c.Log.Level)
	add("log.format", c.Log.Format)
	add("metrics.max_series", fmt.Sprint(c.Metrics.MaxSeries))
	c.accessSettings(add)
	out = append(out, c.people...)
	if c.Serial.Folder != "" {
		add("serial.folder", flow(c.Serial.Folder))
	}
	if len(c.ports) > 0 {
		var each []string
		for _, p := range c.ports {
			each = append(each, p.key+": "+p.text)
		}
		out = append(out, setting{"serial.ports", "{" + strings.Join(each, ", ") + "}", c.ports[0].origin})
	}
	return out
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

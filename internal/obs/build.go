package obs

import (
	"runtime"
	"runtime/debug"
)

// Build says which program this is.
type Build struct {
	Version  string `json:"version"`  // of the module, or "devel"
	Revision string `json:"revision"` // of the source, with "+dirty" when files were changed; may be empty
	Time     string `json:"time"`     // of the revision, RFC 3339; may be empty
	Go       string `json:"go"`
	Platform string `json:"platform"` // "linux/amd64"
}

// BuildInfo reads what the linker wrote into the program.
func BuildInfo() Build {
	b := Build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	dirty := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value[:min(12, len(s.Value))]
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if dirty && b.Revision != "" {
		b.Revision += "+dirty"
	}
	return b
}

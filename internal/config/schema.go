package config

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// referencePattern is a text with a reference in it, which may stand for a value of any type.
const referencePattern = `\$\{(env|file):[^}]+\}`

// Schema is the JSON Schema (draft 2020-12) of the file, made of the same structs that it is read into. twins is as in
// [Input].
func Schema(drivers []driver.Driver, twins map[string][]string, faces []Face) ([]byte, error) {
	root := object("Configuration of patchbay")
	root.Version = jsonschema.Version
	root.Title = "patchbay"
	root.Properties.Set("version", &jsonschema.Schema{Const: Version, Description: "version of this format"})
	root.Properties.Set("listen", text("where the page and the HTTP interface listen, HOST:PORT; default "+DefaultListen))
	root.Properties.Set("hosts", listOf(text("a name that browsers may use for this machine")))
	log := object("what is logged")
	log.Properties.Set("level", oneOf("least level that is logged", levels))
	log.Properties.Set("format", oneOf("auto is text on a terminal and JSON elsewhere", formats))
	root.Properties.Set("log", log)
	root.Properties.Set("metrics", metricsSchema())
	accessSchema(root)
	root.Properties.Set("serial", serialSchema())
	devices := object("the devices by name")
	var forms, schemes []string
	var kinds []*jsonschema.Schema
	for _, d := range drivers {
		var own []string
		for _, sc := range d.Info().Schemes {
			scheme := regexp.QuoteMeta(sc.Name)
			if hasTwin(d, sc, twins) {
				scheme = `((sim|replay)\+)?` + scheme
			}
			own = append(own, scheme)
		}
		form := "(" + strings.Join(own, "|") + ")"
		forms = append(forms, form)
		schemes = append(schemes, own...)
		kinds = append(kinds, deviceSchema(d, form, twins[d.Info().Name], faces))
	}
	short := text("URL of the device; its settings may follow as ?key=value")
	short.Pattern = "^(" + strings.Join(forms, "|") + "):"
	devices.PatternProperties = map[string]*jsonschema.Schema{
		deviceName.String(): {AnyOf: append([]*jsonschema.Schema{short}, kinds...)},
	}
	if len(schemes) == 0 {
		devices.PatternProperties = nil
	}
	root.Properties.Set("devices", devices)
	b, err := json.MarshalIndent(root, "", "  ")
	return append(b, '\n'), err
}

func deviceSchema(d driver.Driver, form string, twin []string, faces []Face) *jsonschema.Schema {
	s := object(d.Info().Title)
	address := text("address of the device")
	address.Pattern = "^" + form + ":"
	s.Properties.Set("url", address)
	s.Required = []string{"url"}
	labels := object("where the device stands")
	for _, k := range LabelKeys() {
		labels.Properties.Set(k, text(k))
	}
	s.Properties.Set("labels", labels)
	writable := listOf(text("pattern of points that may be written; a wildcard never grants a point that moves a machine"))
	s.Properties.Set("writable", writable)
	for _, k := range twin {
		v := text("setting of the simulator")
		v.Type = ""
		s.Properties.Set(k, v)
	}
	addOptions(s, d.Options())
	if serve := serveSchema(d, faces); serve != nil {
		s.Properties.Set(serveKey, &jsonschema.Schema{AnyOf: []*jsonschema.Schema{serve, {Type: "null"}}})
	}
	return s
}

// serveSchema is of the section that lets other programs connect; nil: devices of this driver have none.
func serveSchema(d driver.Driver, faces []Face) *jsonschema.Schema {
	serve := object("lets other programs connect to this device through patchbay as if they connected to it")
	server, served := d.(driver.Server)
	if served = served && d.Info().Can&driver.CanServe != 0; served {
		addOptions(serve, server.ServeOptions())
	}
	for _, f := range faces {
		if f.Fits(d.Info()) == nil {
			face := object(f.Doc)
			addOptions(face, f.Options())
			serve.Properties.Set(f.Name, &jsonschema.Schema{AnyOf: []*jsonschema.Schema{face, {Type: "null"}}})
			served = true
		}
	}
	if !served {
		return nil
	}
	return serve
}

// addOptions adds the driver's options with their descriptions and defaults.
func addOptions(s *jsonschema.Schema, options any) {
	v := reflect.ValueOf(options)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return
	}
	r := &jsonschema.Reflector{
		Anonymous: true, DoNotReference: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch t {
			case reflect.TypeFor[time.Duration]():
				return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
			case secretType:
				return &jsonschema.Schema{Type: "string"}
			}
			return nil
		},
	}
	reflected := r.Reflect(options)
	if reflected.Properties == nil {
		return
	}
	fields := v.Elem().Type()
	for i := range fields.NumField() {
		name := yamlName(fields.Field(i))
		p, ok := reflected.Properties.Get(name)
		if !ok {
			continue
		}
		p.Description = fields.Field(i).Tag.Get("doc")
		var def any
		if b := flow(v.Elem().Field(i).Interface()); fields.Field(i).Type != secretType && !v.Elem().Field(i).IsZero() {
			def = b
			var n any
			if json.Unmarshal([]byte(b), &n) == nil {
				def = n
			}
		}
		p.Default = def
		if p.Type != "string" || p.Pattern != "" {
			own := *p
			own.Description, own.Default = "", nil
			p = &jsonschema.Schema{
				AnyOf:       []*jsonschema.Schema{&own, {Type: "string", Pattern: referencePattern}},
				Description: p.Description, Default: p.Default,
			}
		}
		s.Properties.Set(name, p)
	}
}

func object(description string) *jsonschema.Schema {
	return &jsonschema.Schema{
		Type: "object", Description: description, Properties: jsonschema.NewProperties(),
		AdditionalProperties: jsonschema.FalseSchema,
	}
}

func text(description string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Description: description}
}

func oneOf(description string, words []string) *jsonschema.Schema {
	s := text(description)
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

// listOf accepts a list, or one item alone.
func listOf(item *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "array", Items: item}, item}}
}

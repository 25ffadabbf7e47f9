package atem

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// theirNames are what another implementation calls items whose names are not ours written in another way; the first that a
// layout has counts.
var theirNames = map[string][]string{
	"activeconfiguration": {"config"},
	"activeinputlevel":    {"level"},
	"arenamesdefault":     {"names_are_default"},
	"artcutsource":        {"art_key_source"},
	"artfillinput":        {"art_fill_source"},
	"artkeyinput":         {"art_key_source"},
	"audiofollowvideo":    {"follow_video"},
	"audiofollowvideocrossfadetransitionenabled": {"follow_video_crossfade"},
	"availableexternalports":                     {"ports_available"},
	"b0":                                         {"const3", "three"},
	"bandenabled":                                {"enabled"},
	"borderlightsourcealtitude":                  {"light_altitude"},
	"borderlightsourcedirection":                 {"light_direction"},
	"cacheused":                                  {"cache_percent"},
	"canflykey":                                  {"can_fly"},
	"canrouteinputs":                             {"can_route"},
	"canswappreviewprogram":                      {"can_swap"},
	"cantogglesafearea":                          {"can_safe_area"},
	"clipcount":                                  {"clips"},
	"clockmode":                                  {"mode"},
	"clockstate":                                 {"state"},
	"compressorenabled":                          {"enabled"},
	"corevideomode":                              {"core_mode"},
	"cutsource":                                  {"key_source"},
	"downconvertedmode":                          {"down_mode"},
	"downconvertmode":                            {"mode"},
	"encodingbitrate":                            {"bitrate"},
	"equalizerenabled":                           {"eq_enabled"},
	"equalizergain":                              {"eq_gain"},
	"errorcode":                                  {"error"},
	"expanderenabled":                            {"enabled"},
	"externalporttype":                           {"port"},
	"fadergain":                                  {"fader"},
	"filehash":                                   {"md5"},
	"filename":                                   {"name"},
	"flyenabled":                                 {"fly"},
	"followfadetoblack":                          {"follow_ftb"},
	"framesdelay":                                {"delay_frames"},
	"frequencyrange":                             {"range"},
	"gateenabled":                                {"gate"},
	"handleposition":                             {"position"},
	"input":                                      {"camera", "input"},
	"internalporttype":                           {"internal_port"},
	"isaset":                                     {"a_stored"},
	"isbset":                                     {"b_stored"},
	"isfullyblack":                               {"fully_black"},
	"isrecording":                                {"recording"},
	"isrunning":                                  {"running"},
	"isused":                                     {"used"},
	"iswaiting":                                  {"waiting"},
	"key":                                        {"stream_key"},
	"lightsourcealtitude":                        {"light_altitude"},
	"lightsourcedirection":                       {"light_direction"},
	"limiterenabled":                             {"enabled"},
	"longname":                                   {"name"},
	"meavailability":                             {"usable_on_me"},
	"mixoption":                                  {"mix"},
	"porttype":                                   {"port_type"},
	"positionx":                                  {"x"},
	"positiony":                                  {"y"},
	"premultipliedkey":                           {"premultiplied"},
	"previewtransition":                          {"preview"},
	"qfactor":                                    {"q"},
	"remainingframes":                            {"frames_left"},
	"runningtoinfinite":                          {"running_to_infinity"},
	"runningtokeyframe":                          {"running_to"},
	"runtoinfinite":                              {"infinity_direction"},
	"sdi3goutputlevel":                           {"level_b"},
	"sendlevels":                                 {"on"},
	"servicename":                                {"service"},
	"shortname":                                  {"label"},
	"sizex":                                      {"width"},
	"sizey":                                      {"height"},
	"sourceavailability":                         {"usable_in"},
	"sourceindex":                                {"still"},
	"sourcetype":                                 {"kind"},
	"stillcount":                                 {"stills"},
	"supportedconfigurations":                    {"configs_supported"},
	"supportedfrequencyranges":                   {"ranges_supported"},
	"supportedinputlevel":                        {"levels_supported"},
	"supportedinputlevels":                       {"levels_supported"},
	"supportedshapes":                            {"shapes_supported"},
	"supportsquadrants":                          {"has_quadrants"},
	"supportssafearea":                           {"safe_area_supported"},
	"supportsvumeters":                           {"vu_supported"},
	"supportvumeter":                             {"vu_supported"},
	"vuenabled":                                  {"vu"},
	"windowcount":                                {"windows"},
	"xposition":                                  {"x"},
	"yposition":                                  {"y"},
	"id":                                         {"generator", "aux", "source", "hyperdeck", "id", "me"},
	"index":                                      {"me", "dsk", "generator", "source", "player", "slot", "macro", "store", "aux"},
	"mixeffectindex":                             {"me"},
	"keyerindex":                                 {"keyer"},
	"multiviewindex":                             {"multiviewer"},
	"windowindex":                                {"window"},
	"ssrcid":                                     {"super_source"},
	"boxindex":                                   {"box"},
	"sourceid":                                   {"strip_id", "source"},
	"stillindex":                                 {"still"},
	"clipindex":                                  {"clip"},
	"transferid":                                 {"transfer"},
	"transferindex":                              {"slot"},
}

func plain(s string) string { return strings.ToLower(strings.NewReplacer("_", "", " ", "").Replace(s)) }

type vector struct {
	Name         string
	FirstVersion uint32
	Bytes        string
	Command      map[string]any
}

func vectors(t testing.TB) []vector {
	t.Helper()
	b, err := os.ReadFile("../../../shared/testdata/atem/vectors.json")
	if err != nil {
		t.Skip("the vectors are not there")
	}
	var list []vector
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

// ours finds the item that a name of theirs means.
func ours(l Layout, body []byte, name string) (v Value, ok bool) {
	for v := range l.Values(body) {
		if plain(v.item.name) == plain(name) && v.Index <= 0 {
			return v, true
		}
	}
	for _, n := range theirNames[plain(name)] {
		if v, ok := l.Value(body, n); ok {
			return v, true
		}
	}
	return Value{}, false
}

// agrees reports whether a value of theirs is ours.
func agrees(v Value, want any) bool {
	switch want := want.(type) {
	case bool:
		return v.Int() != 0 == want
	case json.Number:
		if n, err := strconv.ParseInt(want.String(), 10, 64); err == nil && v.Int() == n {
			return true
		}
		f, err := want.Float64()
		step := 1.0
		if v.item.scale != 0 {
			step = 1 / v.item.divisor()
		}
		if v.item.log != 0 {
			step = 0.01
		}
		return err == nil && (math.Abs(v.Float()-f) <= step || math.IsInf(v.Float(), -1) && f < -90)
	case string:
		if v.IsNumber() {
			return v.String() == want
		}
		if raw, err := base64.StdEncoding.DecodeString(want); err == nil && bytes.Equal(raw, v.Bytes()) {
			return true
		}
		return v.String() == want
	case map[string]any:
		return v.String() == fmt.Sprintf("%02v:%02v:%02v:%02v", want["Hour"], want["Minute"], want["Second"], want["Frame"])
	}
	return false
}

// theirNumber is a number of theirs.
func theirNumber(v any) float64 {
	n, _ := v.(json.Number)
	f, _ := n.Float64()
	return f
}

// special compares what theirs has in another form; known is false for all else.
func special(l Layout, f *Field, name string, cmd map[string]any) (same, known bool) {
	item := func(name string) Value { v, _ := l.Value(f.Body, name); return v }
	want := cmd[name]
	switch f.Code.String() + "." + name {
	case "AROP.AudioOutputId":
		return float64(item("id").Int()>>16) == theirNumber(want), true
	case "AROP.AudioChannelPair":
		return float64(item("id").Int()&0xffff) == theirNumber(want), true
	case "CRSS.Bitrates":
		var v SetStreamingService
		list, _ := want.([]any)
		return v.Parse(0, f.Body) == nil && len(list) == 2 && float64(v.Bitrates[0]) == theirNumber(list[0]) && float64(v.Bitrates[1]) == theirNumber(list[1]), true
	case "MPCE.SourceIndex":
		if MediaKind(item("kind").Int()) == MediaKindStill {
			return float64(item("still").Int()) == theirNumber(want), true
		}
		return float64(item("clip").Int()) == theirNumber(want), true
	case "StRS.Status", "StRS.Error":
		return item("status").Int()&int64(theirNumber(want)) == int64(theirNumber(want)), true
	case "_ver.ProtocolVersion":
		return float64(be.Uint32(f.Body)) == theirNumber(want), true
	case "CCmd.BoolData", "CCmd.IntData", "CCmd.LongData", "CCmd.FloatData", "CCmd.StringData":
		var v SetCameraControl
		if v.Parse(0, f.Body) != nil {
			return false, true
		}
		if text, ok := want.(string); ok {
			return string(v.Values) == text, true
		}
		list, ok := want.([]any)
		if !ok {
			return true, true // of another type
		}
		return slices.EqualFunc(CameraNumbers(v.Type, v.Values), list, func(a float64, b any) bool {
			switch b := b.(type) {
			case bool:
				return a != 0 == b
			case string: // 64 bits, which a float64 does not hold
				n, err := strconv.ParseFloat(b, 64)
				return err == nil && math.Abs(a-n) <= math.Abs(n)*1e-12
			}
			return math.Abs(a-theirNumber(b)) <= (1+math.Abs(a))/fixedOne // theirs has 2047 to one
		}), true
	}
	return false, false
}

// Fields that another implementation wrote have the values that it wrote, and are written again byte for byte.
func TestVectors(t *testing.T) {
	fields, values := 0, 0
	for _, vec := range vectors(t) {
		whole, err := hex.DecodeString(strings.ReplaceAll(vec.Bytes, "-", ""))
		if err != nil {
			t.Fatal(err)
		}
		f, rest, err := Next(whole)
		if err != nil || len(rest) > 0 || f.Code.String() != vec.Name {
			t.Fatalf("%s: %v", vec.Name, err)
		}
		ver := Version(vec.FirstVersion)
		l, ok := LayoutOf(f.Code, ver, f.Body)
		if !ok {
			t.Errorf("%s in %v: no layout fits %d bytes", vec.Name, ver, len(f.Body))
			continue
		}
		fields++
		for name, want := range vec.Command {
			same, known := special(l, &f, name, vec.Command)
			if !known {
				v, ok := ours(l, f.Body, name)
				same = ok && agrees(v, want)
			}
			if values++; !same {
				t.Errorf("%s %x: %s is not %v", vec.Name, f.Body, name, want)
			}
		}
		m := New(f.Code)
		if err := m.Parse(ver, f.Body); err != nil {
			t.Errorf("%s: %v", vec.Name, err)
		} else if again := m.Append(nil, ver); !bytes.Equal(again, whole) {
			t.Errorf("%s: written again %x, not %x", vec.Name, again, whole)
		}
	}
	// Bytes that others fill with constants stand in none of these.
	if fields != 1127 || values != 6364 {
		t.Errorf("%d fields with %d values", fields, values)
	}
}

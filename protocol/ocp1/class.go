package ocp1

import "slices"

// Class is one class of the object model, with what it adds to its parent.
type Class struct {
	ID         ClassID
	Name       string
	Version    uint16
	Methods    []MethodInfo
	Properties []PropertyInfo
}

// MethodInfo describes a method. Its level is that of its class.
type MethodInfo struct {
	Index   uint16
	Name    string
	In, Out []Param
}

// PropertyInfo describes a property. Its level is that of its class.
type PropertyInfo struct {
	Index uint16
	Name  string
	Type  *Datatype
}

// Level is the definition level of the class's own methods and properties.
func (c *Class) Level() uint16 { return c.ID.Level() }

// The classes that programs build on.
var (
	ClassRoot    = ClassOf(1)
	ClassWorker  = ClassOf(1, 1)
	ClassAgent   = ClassOf(1, 2)
	ClassManager = ClassOf(1, 3)
	ClassBlock   = ClassOf(1, 1, 3)

	ClassActuator   = ClassOf(1, 1, 1)
	ClassMute       = ClassOf(1, 1, 1, 2)
	ClassPolarity   = ClassOf(1, 1, 1, 3)
	ClassSwitch     = ClassOf(1, 1, 1, 4)
	ClassGain       = ClassOf(1, 1, 1, 5)
	ClassPanBalance = ClassOf(1, 1, 1, 6)
	ClassDelay      = ClassOf(1, 1, 1, 7)
	ClassIdentifier = ClassOf(1, 1, 1, 21)

	ClassBooleanActuator   = ClassOf(1, 1, 1, 1, 1)
	ClassInt8Actuator      = ClassOf(1, 1, 1, 1, 2)
	ClassInt16Actuator     = ClassOf(1, 1, 1, 1, 3)
	ClassInt32Actuator     = ClassOf(1, 1, 1, 1, 4)
	ClassInt64Actuator     = ClassOf(1, 1, 1, 1, 5)
	ClassUint8Actuator     = ClassOf(1, 1, 1, 1, 6)
	ClassUint16Actuator    = ClassOf(1, 1, 1, 1, 7)
	ClassUint32Actuator    = ClassOf(1, 1, 1, 1, 8)
	ClassUint64Actuator    = ClassOf(1, 1, 1, 1, 9)
	ClassFloat32Actuator   = ClassOf(1, 1, 1, 1, 10)
	ClassFloat64Actuator   = ClassOf(1, 1, 1, 1, 11)
	ClassStringActuator    = ClassOf(1, 1, 1, 1, 12)
	ClassBitstringActuator = ClassOf(1, 1, 1, 1, 13)

	ClassSensor           = ClassOf(1, 1, 2)
	ClassLevelSensor      = ClassOf(1, 1, 2, 2)
	ClassAudioLevelSensor = ClassOf(1, 1, 2, 2, 1)

	ClassBooleanSensor   = ClassOf(1, 1, 2, 1, 1)
	ClassInt8Sensor      = ClassOf(1, 1, 2, 1, 2)
	ClassInt16Sensor     = ClassOf(1, 1, 2, 1, 3)
	ClassInt32Sensor     = ClassOf(1, 1, 2, 1, 4)
	ClassInt64Sensor     = ClassOf(1, 1, 2, 1, 5)
	ClassUint8Sensor     = ClassOf(1, 1, 2, 1, 6)
	ClassUint16Sensor    = ClassOf(1, 1, 2, 1, 7)
	ClassUint32Sensor    = ClassOf(1, 1, 2, 1, 8)
	ClassUint64Sensor    = ClassOf(1, 1, 2, 1, 9)
	ClassFloat32Sensor   = ClassOf(1, 1, 2, 1, 10)
	ClassFloat64Sensor   = ClassOf(1, 1, 2, 1, 11)
	ClassStringSensor    = ClassOf(1, 1, 2, 1, 12)
	ClassBitstringSensor = ClassOf(1, 1, 2, 1, 13)

	ClassDeviceManager       = ClassOf(1, 3, 1)
	ClassSecurityManager     = ClassOf(1, 3, 2)
	ClassFirmwareManager     = ClassOf(1, 3, 3)
	ClassSubscriptionManager = ClassOf(1, 3, 4)
	ClassNetworkManager      = ClassOf(1, 3, 6)
)

// get is a method that takes nothing.
func get(index uint16, name string, out ...Param) MethodInfo {
	return MethodInfo{Index: index, Name: name, Out: out}
}

// set is a method that returns nothing.
func set(index uint16, name string, in ...Param) MethodInfo {
	return MethodInfo{Index: index, Name: name, In: in}
}

// find is a method that finds objects by a name.
func find(index uint16, name string) MethodInfo {
	return MethodInfo{index, name, []Param{{"SearchName", String}, {"NameComparisonType", typeCompare}, {"SearchClassID", typeClassID}, {"ResultFlags", typeWant}},
		[]Param{{"Result", listFound}}}
}

// ranged is what a getter of a value with limits returns.
func ranged(name string, t *Datatype) []Param {
	return []Param{{name, t}, {"min" + name, t}, {"max" + name, t}}
}

// basic is a kind of basic actuator and sensor; the last field of their class ids is its place in the list, from 1.
type basic struct {
	name string
	t    *Datatype
}

var basics = [...]basic{{"Boolean", Bool}, {"Int8", Int8}, {"Int16", Int16}, {"Int32", Int32}, {"Int64", Int64}, {"Uint8", Uint8}, {"Uint16", Uint16},
	{"Uint32", Uint32}, {"Uint64", Uint64}, {"Float32", Float32}, {"Float64", Float64}, {"String", String}, {"Bitstring", Bits}}

func (k basic) value(name string) []Param {
	if k.t == Bool || k.t == String {
		return []Param{{name, k.t}}
	}
	return ranged(name, k.t)
}

func (k basic) actuator(n uint16) Class {
	c := Class{ID: ClassOf(1, 1, 1, 1, n), Name: "Oca" + k.name + "Actuator", Version: 2, Properties: []PropertyInfo{{1, "Setting", k.t}}}
	if k.t == Bits {
		c.Methods = []MethodInfo{get(1, "GetNrBits", Param{"NrBits", Uint16}), {2, "GetBit", []Param{{"BitNumber", Uint16}}, []Param{{"Value", Bool}}},
			set(3, "SetBit", Param{"BitNumber", Uint16}, Param{"Value", Bool}), get(4, "GetBitArray", Param{"BitArray", Bits}), set(5, "SetBitArray", Param{"BitArray", Bits})}
		return c
	}
	c.Methods = []MethodInfo{get(1, "GetSetting", k.value("Setting")...), set(2, "SetSetting", Param{"Setting", k.t})}
	if k.t == String {
		c.Methods = append(c.Methods, get(3, "GetMaxLen", Param{"maxLen", Uint16}))
	}
	return c
}

func (k basic) sensor(n uint16) Class {
	c := Class{ID: ClassOf(1, 1, 2, 1, n), Name: "Oca" + k.name + "Sensor", Version: 2, Properties: []PropertyInfo{{1, "Reading", k.t}}}
	switch k.t {
	case Bits:
		c.Methods = []MethodInfo{get(1, "GetNrBits", Param{"NrBits", Uint16}), {2, "GetBit", []Param{{"BitNumber", Uint16}}, []Param{{"Value", Bool}}},
			get(3, "GetBitArray", Param{"BitArray", Bits})}
	case String:
		c.Methods = []MethodInfo{get(1, "GetString", Param{"String", String}), get(2, "GetMaxLen", Param{"maxLen", Uint16}), set(3, "SetMaxLen", Param{"maxLen", Uint16})}
	default:
		c.Methods = []MethodInfo{get(1, "GetReading", k.value("Reading")...)}
	}
	return c
}

// classes are in order of their ids.
var classes = makeClasses()

func makeClasses() []Class {
	list := []Class{
		{ID: ClassRoot, Name: "OcaRoot", Version: 2,
			Methods: []MethodInfo{get(1, "GetClassIdentification", Param{"ClassIdentification", typeClass}), get(2, "GetLockable", Param{"Lockable", Bool}),
				set(3, "SetLockNoReadWrite"), set(4, "Unlock"), get(5, "GetRole", Param{"Role", String}), set(6, "SetLockNoWrite"), get(7, "GetLockState", Param{"LockState", typeLock})},
			Properties: []PropertyInfo{{1, "ClassID", typeClassID}, {2, "ClassVersion", Uint16}, {3, "ObjectNumber", typeONo}, {4, "Lockable", Bool}, {5, "Role", String}, {6, "LockState", typeLock}}},
		{ID: ClassWorker, Name: "OcaWorker", Version: 2,
			Methods: []MethodInfo{get(1, "GetEnabled", Param{"Enabled", Bool}), set(2, "SetEnabled", Param{"Enabled", Bool}), get(5, "GetPorts"),
				get(8, "GetLabel", Param{"Label", String}), set(9, "SetLabel", Param{"Label", String}), get(10, "GetOwner", Param{"Owner", typeONo}),
				get(11, "GetLatency", Param{"Latency", Float32}), set(12, "SetLatency", Param{"Latency", Float32}), get(13, "GetPath", Param{"NamePath", listString}, Param{"ONoPath", listONo})},
			Properties: []PropertyInfo{{1, "Enabled", Bool}, {2, "Ports", nil}, {3, "Label", String}, {4, "Owner", typeONo}, {5, "Latency", Float32}}},
		{ID: ClassActuator, Name: "OcaActuator", Version: 2},
		{ID: ClassOf(1, 1, 1, 1), Name: "OcaBasicActuator", Version: 2},
		{ID: ClassMute, Name: "OcaMute", Version: 2, Methods: []MethodInfo{get(1, "GetState", Param{"State", typeMute}), set(2, "SetState", Param{"State", typeMute})},
			Properties: []PropertyInfo{{1, "State", typeMute}}},
		{ID: ClassPolarity, Name: "OcaPolarity", Version: 2, Methods: []MethodInfo{get(1, "GetState", Param{"State", typePolar}), set(2, "SetState", Param{"State", typePolar})},
			Properties: []PropertyInfo{{1, "State", typePolar}}},
		{ID: ClassSwitch, Name: "OcaSwitch", Version: 2,
			Methods: []MethodInfo{get(1, "GetPosition", ranged("Position", Uint16)...), set(2, "SetPosition", Param{"Position", Uint16}),
				{3, "GetPositionName", []Param{{"Index", Uint16}}, []Param{{"Name", String}}}, set(4, "SetPositionName", Param{"Index", Uint16}, Param{"Name", String}),
				get(5, "GetPositionNames", Param{"Names", listString}), set(6, "SetPositionNames", Param{"Names", listString}),
				{7, "GetPositionEnabled", []Param{{"Index", Uint16}}, []Param{{"Enabled", Bool}}}, set(8, "SetPositionEnabled", Param{"Index", Uint16}, Param{"Enabled", Bool}),
				get(9, "GetPositionEnableds", Param{"Enableds", listBool}), set(10, "SetPositionEnableds", Param{"Enableds", listBool})},
			Properties: []PropertyInfo{{1, "Position", Uint16}, {2, "PositionNames", listString}, {3, "PositionEnableds", listBool}}},
		{ID: ClassGain, Name: "OcaGain", Version: 2, Methods: []MethodInfo{get(1, "GetGain", ranged("Gain", Float32)...), set(2, "SetGain", Param{"Gain", Float32})},
			Properties: []PropertyInfo{{1, "Gain", Float32}}},
		{ID: ClassPanBalance, Name: "OcaPanBalance", Version: 2,
			Methods: []MethodInfo{get(1, "GetPosition", ranged("Position", Float32)...), set(2, "SetPosition", Param{"Position", Float32}),
				get(3, "GetMidpointGain", ranged("MidpointGain", Float32)...), set(4, "SetMidpointGain", Param{"MidpointGain", Float32})},
			Properties: []PropertyInfo{{1, "Position", Float32}, {2, "MidpointGain", Float32}}},
		{ID: ClassDelay, Name: "OcaDelay", Version: 2, Methods: []MethodInfo{get(1, "GetDelayTime", ranged("DelayTime", Float32)...), set(2, "SetDelayTime", Param{"DelayTime", Float32})},
			Properties: []PropertyInfo{{1, "DelayTime", Float32}}},
		{ID: ClassIdentifier, Name: "OcaIdentificationActuator", Version: 2, Methods: []MethodInfo{get(1, "GetActive", Param{"Active", Bool}), set(2, "SetActive", Param{"Active", Bool})},
			Properties: []PropertyInfo{{1, "Active", Bool}}},
		{ID: ClassSensor, Name: "OcaSensor", Version: 2, Methods: []MethodInfo{get(1, "GetReadingState", Param{"State", typeReading})},
			Properties: []PropertyInfo{{1, "ReadingState", typeReading}}},
		{ID: ClassOf(1, 1, 2, 1), Name: "OcaBasicSensor", Version: 2},
		{ID: ClassLevelSensor, Name: "OcaLevelSensor", Version: 2, Methods: []MethodInfo{get(1, "GetReading", ranged("Reading", Float32)...)},
			Properties: []PropertyInfo{{1, "Reading", Float32}}},
		{ID: ClassAudioLevelSensor, Name: "OcaAudioLevelSensor", Version: 2, Methods: []MethodInfo{get(1, "GetLaw", Param{"Law", typeLaw}), set(2, "SetLaw", Param{"Law", typeLaw})},
			Properties: []PropertyInfo{{1, "Law", typeLaw}}},
		{ID: ClassBlock, Name: "OcaBlock", Version: 2,
			Methods: []MethodInfo{get(1, "GetType", Param{"Type", Uint32}), get(5, "GetMembers", Param{"Members", listObject}), get(6, "GetMembersRecursive", Param{"Members", listMember}),
				get(9, "GetSignalPaths"), get(10, "GetSignalPathsRecursive"), get(16, "GetONoMap"), find(17, "FindObjectsByRole"), find(18, "FindObjectsByRoleRecursive"),
				find(19, "FindObjectsByLabelRecursive"), {20, "FindObjectsByPath", []Param{{"SearchPath", listString}, {"ResultFlags", typeWant}}, []Param{{"Result", listFound}}}},
			Properties: []PropertyInfo{{1, "Type", Uint32}, {2, "Members", listObject}}},
		{ID: ClassAgent, Name: "OcaAgent", Version: 2,
			Methods: []MethodInfo{get(1, "GetLabel", Param{"Label", String}), set(2, "SetLabel", Param{"Label", String}), get(3, "GetOwner", Param{"Owner", typeONo}),
				get(4, "GetPath", Param{"NamePath", listString}, Param{"ONoPath", listONo})},
			Properties: []PropertyInfo{{1, "Label", String}, {2, "Owner", typeONo}}},
		{ID: ClassManager, Name: "OcaManager", Version: 2},
		{ID: ClassDeviceManager, Name: "OcaDeviceManager", Version: 2,
			Methods: []MethodInfo{get(1, "GetOcaVersion", Param{"OcaVersion", Uint16}), get(2, "GetModelGUID", Param{"GUID", typeGUID}), get(3, "GetSerialNumber", Param{"Identifier", String}),
				get(4, "GetDeviceName", Param{"Name", String}), set(5, "SetDeviceName", Param{"Name", String}), get(6, "GetModelDescription", Param{"Description", typeModel}),
				get(7, "GetDeviceRole", Param{"Role", String}), set(8, "SetDeviceRole", Param{"Role", String}), get(9, "GetUserInventoryCode", Param{"Code", String}),
				set(10, "SetUserInventoryCode", Param{"Code", String}), get(11, "GetEnabled", Param{"Enabled", Bool}), set(12, "SetEnabled", Param{"Enabled", Bool}),
				get(13, "GetState", Param{"State", typeState}), get(15, "GetResetCause", Param{"ResetCause", Uint8}), set(16, "ClearResetCause"), get(17, "GetMessage", Param{"Message", String}),
				set(18, "SetMessage", Param{"Message", String}), get(19, "GetManagers", Param{"Managers", listMan}), get(20, "GetDeviceRevisionID", Param{"ID", String})},
			Properties: []PropertyInfo{{1, "ModelGUID", typeGUID}, {2, "SerialNumber", String}, {3, "ModelDescription", typeModel}, {4, "DeviceName", String}, {5, "OcaVersion", Uint16},
				{6, "DeviceRole", String}, {7, "UserInventoryCode", String}, {8, "Enabled", Bool}, {9, "State", typeState}, {10, "Busy", Bool}, {11, "ResetCause", Uint8},
				{12, "Message", String}, {13, "Managers", listMan}, {14, "DeviceRevisionID", String}}},
		{ID: ClassSecurityManager, Name: "OcaSecurityManager", Version: 2},
		{ID: ClassFirmwareManager, Name: "OcaFirmwareManager", Version: 2},
		{ID: ClassSubscriptionManager, Name: "OcaSubscriptionManager", Version: 2,
			Methods: []MethodInfo{
				set(1, "AddSubscription", Param{"Event", typeEvent}, Param{"Subscriber", typeMethod}, Param{"SubscriberContext", Blob}, Param{"NotificationDeliveryMode", typeDeliver}, Param{"DestinationInformation", Blob}),
				set(2, "RemoveSubscription", Param{"Event", typeEvent}, Param{"Subscriber", typeMethod}), set(3, "DisableNotifications"), set(4, "ReEnableNotifications"),
				set(5, "AddPropertyChangeSubscription", Param{"Emitter", typeONo}, Param{"Property", typePropertyID}, Param{"Subscriber", typeMethod}, Param{"SubscriberContext", Blob},
					Param{"NotificationDeliveryMode", typeDeliver}, Param{"DestinationInformation", Blob}),
				set(6, "RemovePropertyChangeSubscription", Param{"Emitter", typeONo}, Param{"Property", typePropertyID}, Param{"Subscriber", typeMethod}),
				get(7, "GetMaximumSubscriberContextLength", Param{"MaximumSubscriberContextLength", Uint16}),
				set(8, "AddSubscription2", Param{"Event", typeEvent}, Param{"NotificationDeliveryMode", typeDeliver}, Param{"DestinationInformation", Blob}),
				set(9, "RemoveSubscription2", Param{"Event", typeEvent}, Param{"NotificationDeliveryMode", typeDeliver}, Param{"DestinationInformation", Blob}),
				set(10, "AddPropertyChangeSubscription2", Param{"Emitter", typeONo}, Param{"Property", typePropertyID}, Param{"NotificationDeliveryMode", typeDeliver}, Param{"DestinationInformation", Blob}),
				set(11, "RemovePropertyChangeSubscription2", Param{"Emitter", typeONo}, Param{"Property", typePropertyID}, Param{"NotificationDeliveryMode", typeDeliver}, Param{"DestinationInformation", Blob})},
			Properties: []PropertyInfo{{1, "State", Uint8}}},
		{ID: ClassOf(1, 3, 5), Name: "OcaPowerManager", Version: 2},
		{ID: ClassNetworkManager, Name: "OcaNetworkManager", Version: 2,
			Methods: []MethodInfo{get(1, "GetNetworks", Param{"Networks", listONo}), get(2, "GetStreamNetworks", Param{"StreamNetworks", listONo}),
				get(3, "GetControlNetworks", Param{"ControlNetworks", listONo}), get(4, "GetMediaTransportNetworks", Param{"MediaTransportNetworks", listONo}),
				get(5, "GetNetworkInterfaces", Param{"Interfaces", listONo}), get(6, "GetNetworkApplications", Param{"Applications", listONo})}},
		{ID: ClassOf(1, 3, 7), Name: "OcaMediaClockManager", Version: 2},
		{ID: ClassOf(1, 3, 8), Name: "OcaLibraryManager", Version: 2},
		{ID: ClassOf(1, 3, 9), Name: "OcaAudioProcessingManager", Version: 2},
		{ID: ClassOf(1, 3, 10), Name: "OcaDeviceTimeManager", Version: 2},
		{ID: ClassOf(1, 3, 11), Name: "OcaTaskManager", Version: 2},
		{ID: ClassOf(1, 3, 12), Name: "OcaCodingManager", Version: 2},
		{ID: ClassOf(1, 3, 13), Name: "OcaDiagnosticManager", Version: 2},
	}
	for i, k := range basics {
		list = append(list, k.actuator(uint16(i+1)), k.sensor(uint16(i+1)))
	}
	slices.SortFunc(list, func(a, b Class) int { return slices.Compare(a.ID.fields[:a.ID.n], b.ID.fields[:b.ID.n]) })
	return list
}

// Classes lists the known classes in order of their ids.
func Classes() []Class { return slices.Clone(classes) }

// ClassByID finds a known class.
func ClassByID(id ClassID) (*Class, bool) {
	i, ok := slices.BinarySearchFunc(classes, id, func(c Class, id ClassID) int { return slices.Compare(c.ID.fields[:c.ID.n], id.fields[:id.n]) })
	if !ok {
		return nil, false
	}
	return &classes[i], true
}

// NearestClass finds the class itself or the nearest known ancestor; nil when there is none.
func NearestClass(id ClassID) *Class {
	for ; id.n > 0; id = id.Parent() {
		if c, ok := ClassByID(id); ok {
			return c
		}
	}
	return nil
}

// MethodOf finds the description of a method of a class: its own or an ancestor's, by the level.
func MethodOf(id ClassID, m ID) (*MethodInfo, bool) {
	c := atLevel(id, m.Level)
	if c == nil {
		return nil, false
	}
	for i := range c.Methods {
		if c.Methods[i].Index == m.Index {
			return &c.Methods[i], true
		}
	}
	return nil, false
}

// PropertyOf finds the description of a property of a class: its own or an ancestor's, by the level.
func PropertyOf(id ClassID, p ID) (*PropertyInfo, bool) {
	c := atLevel(id, p.Level)
	if c == nil {
		return nil, false
	}
	for i := range c.Properties {
		if c.Properties[i].Index == p.Index {
			return &c.Properties[i], true
		}
	}
	return nil, false
}

// atLevel is the known class of that level among id and its ancestors.
func atLevel(id ClassID, level uint16) *Class {
	for ; id.n > 0; id = id.Parent() {
		if c, ok := ClassByID(id); ok && c.Level() == level {
			return c
		}
	}
	return nil
}

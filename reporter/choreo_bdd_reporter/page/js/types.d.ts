// What the page reads: the results as schema 1.3 has them, and what stands beside them. A test compares the first half
// with the types of the writer and the second with what it emits; members that an older report lacks are optional.

declare namespace Page {
  type TestOutcome = 'passed' | 'failed' | 'errored' | 'skipped' | 'slow';
  type HandleOutcome = 'pass' | 'fail' | 'timeout' | 'slow' | 'pending';

  // --- results.json ---

  interface Totals {
    passed: number;
    failed: number;
    errored: number;
    skipped: number;
    slow: number;
    total: number;
  }

  interface Redactions {
    fields: number;
    stream_matches: number;
    redaction_version?: string;
  }

  interface Xdist {
    workers: number;
    incomplete_workers: string[];
  }

  interface Run {
    started_at: string;
    finished_at: string;
    duration_ms: number;
    totals: Totals;
    project_name: string | null;
    transport?: string | null;
    transports?: string[];
    allowlist_path: string | null;
    python_version: string;
    harness_version: string;
    reporter_version: string;
    git_sha: string | null;
    git_branch: string | null;
    environment: string | null;
    hostname: string;
    xdist: Xdist | null;
    truncated: boolean;
    redactions: Redactions;
  }

  interface ChoreoMeta {
    timeout_ms?: number;
    tags?: string[];
  }

  interface Stage {
    bridge_class: string;
    transports: string[];
    correlation_ids: Record<string, string>;
  }

  interface MatchFailure {
    kind: 'missing' | 'mismatch' | 'type_mismatch' | 'predicate' | 'composed';
    path: string;
    expected: any;
    actual?: any;
    children?: MatchFailure[];
  }

  interface DiagnosisMatched {
    kind: 'matched';
  }

  interface DiagnosisOverBudget {
    kind: 'over_budget';
    latency_ms: number;
    budget_ms: number;
  }

  interface DiagnosisNearMiss {
    kind: 'near_miss';
    attempts: number;
    deadline_ms: number;
  }

  interface DiagnosisSilentTimeout {
    kind: 'silent_timeout';
    topic: string;
    deadline_ms: number;
  }

  interface DiagnosisPending {
    kind: 'pending';
  }

  type Diagnosis = DiagnosisMatched | DiagnosisOverBudget | DiagnosisNearMiss | DiagnosisSilentTimeout | DiagnosisPending;

  interface Handle {
    topic: string;
    outcome: HandleOutcome;
    latency_ms: number | null;
    budget_ms: number | null;
    matcher_description: string;
    expected: any;
    actual: any;
    attempts: number;
    reason: string;
    truncated: boolean;
    failure: MatchFailure | null;
    failures: MatchFailure[];
    failures_dropped: number;
    diagnosis: Diagnosis;
    transport?: string | null;
    correlation_id?: string;
  }

  interface TimelineEntry {
    offset_ms: number;
    wall_clock: string;
    action: 'published' | 'received' | 'matched' | 'mismatched' | 'deadline' | 'correlation_skipped' | 'replied' | 'reply_failed';
    detail: string;
    topic?: string;
    transport?: string;
    logical_topic?: string;
    source?: 'publish' | 'expect' | 'reply' | 'scope';
  }

  interface Reply {
    trigger_topic: string;
    reply_topic: string;
    state: 'armed_no_match' | 'armed_matcher_mismatched' | 'replied' | 'reply_failed';
    matcher_description: string;
    candidate_count: number;
    match_count: number;
    reply_published: boolean;
    builder_error: string | null;
    correlation_overridden: boolean;
    trigger_transport?: string | null;
    response_transport?: string | null;
  }

  interface Scenario {
    name: string;
    correlation_id: string | null;
    outcome: 'pass' | 'fail' | 'timeout' | 'slow';
    duration_ms: number;
    completed_normally: boolean;
    handles: Handle[];
    timeline: TimelineEntry[];
    timeline_dropped: number;
    replies: Reply[];
    summary_text: string;
    stage?: Stage;
  }

  interface Test {
    nodeid: string;
    file: string;
    name: string;
    class: string | null;
    markers: string[];
    choreo_meta: ChoreoMeta | null;
    outcome: TestOutcome;
    duration_ms: number;
    traceback: string | null;
    stdout: string;
    stderr: string;
    log: string;
    skip_reason: string | null;
    worker_id: string | null;
    scenarios: Scenario[];
  }

  interface Results {
    schema_version: string;
    run: Run;
    tests: Test[];
  }

  // --- the index ---

  interface Finding {
    status: string;
    cause: string;
    sentence: string;
    topic?: string;
    transport?: string;
    part?: number;
    handle?: number;
    step?: number;
  }

  // a scenario of a feature that the runner did not come to
  interface NeverStarted {
    nodeid: string;
    file: string;
    name: string;
    class: string | null;
    markers: string[];
    choreo_meta: ChoreoMeta | null;
    outcome: 'errored' | 'skipped' | 'untested';
    duration_ms: number;
    traceback: string | null;
    stdout: string;
    stderr: string;
    log: string;
    skip_reason: string | null;
    worker_id: string | null;
    scenarios: Scenario[];
  }

  interface Row {
    test: number | NeverStarted;
    outcome: string;
    id?: string;
    name?: string;
    rule?: string;
    tags?: string[];
    inherited?: string[];
    unchecked?: boolean;
    failing?: boolean;
    findings?: Finding[];
    transports?: string[];
    hops?: number[];
    attempts?: Attempt[];
    flaky?: boolean;
    warnings?: [number, string][];
    past?: [string, string];
  }

  interface Group {
    id: string;
    name: string;
    keyword: string;
    description: string;
    where: string;
    rows: Row[];
  }

  interface Channels {
    spec: string;
    touched: string[];
    untouched: string[];
  }

  interface Exit {
    status: number | null;
    interrupted: boolean;
  }

  interface Percentiles {
    p50?: number;
    p95?: number;
    p99?: number;
  }

  interface Index {
    noun: 'scenario' | 'test';
    exit: Exit | null;
    left_out: number | null;
    channels: Channels | null;
    runs: [string, string | null, boolean][];
    ci: boolean;
    causation: string | null;
    // what kind each transport of choreo.yaml is
    buses: [string, string][];
    groups: Group[];
    names: string[];
    transports: string[];
    traffic: [number, number, number, number][];
    latencies: Percentiles;
    chunks: number[];
    bodies: boolean;
    timelines: boolean;
    folder: string | null;
  }

  // --- what Gherkin and the engine tell beside the results ---

  interface Check {
    scenario: number;
    handle: number;
  }

  interface Step {
    keyword: string;
    text: string;
    line: number;
    status: string;
    duration_ms: number;
    docstring: string | null;
    table: string[][] | null;
    background: boolean;
    message: string | null;
    checks: Check[];
  }

  interface Described {
    nodeid: string;
    name: string;
    keyword: string;
    line: number;
    tags: string[];
    inherited: string[];
    rule: string | null;
    description: string;
    steps: Step[];
    started?: number;
  }

  interface Feature {
    uri: string;
    name: string;
    description: string;
    keyword: string;
    tags: string[];
    line: number;
    scenarios: Described[];
  }

  interface StoredMessage {
    topic: string;
    payload: number;
    transport?: string;
    headers?: any;
    key?: string;
    partition?: number;
    offset?: number;
    size?: number;
    broker_time?: number;
    moved?: Move;
  }

  interface Move {
    origins: string[];
    how: string;
  }

  interface HandleNote {
    origin?: string | null;
    step_text?: string | null;
    cause?: string | null;
    sentence?: string | null;
    text?: string | null;
    differences?: MatchFailure[];
    differences_dropped?: number;
    asserted?: boolean;
    since_publish_ms?: number | null;
    since_registration_ms?: number | null;
    messages?: number[];
    messages_dropped?: number;
  }

  interface TransportFailure {
    transport: string | null;
    topic: string;
    reason: string;
  }

  interface Surprise {
    topic: string;
    classification: string;
    size: number;
    count: number;
  }

  interface Stray {
    why: string;
    offset_ms: number;
    detail: string;
    message: number;
    handle: number;
    differences?: MatchFailure[];
    differences_dropped?: number;
  }

  interface LeftOut {
    handles?: number;
    replies?: number;
    transport_failures?: number;
  }

  interface ScopeNote {
    handles: HandleNote[];
    timeline: number[];
    messages?: StoredMessage[];
    payloads?: string[];
    transport?: string | null;
    transport_failures?: TransportFailure[];
    surprises?: Surprise[];
    strays?: Stray[];
    left_out?: LeftOut;
    // values by place whose numbers are spelled as no script would, as JSON
    exact?: string;
    spans?: Span[];
  }

  interface Span {
    id: string;
    parent: string;
    service: string;
    name: string;
    kind: string;
    topic: string | null;
    error: string | null;
    offset_ms: number;
    duration_ms: number;
  }

  interface Attachment {
    name: string;
    media_type: string;
    size: number;
    cut: boolean;
    text?: string | null;
    base64?: string | null;
    step?: number | null;
  }

  interface Attempt {
    outcome: string;
    reason: string;
    duration_ms?: number;
    findings?: Finding[];
  }

  interface KeptAttempt {
    outcome: string;
    reason: string;
    test?: Test;
    scenario?: Described;
    details?: ScopeNote[];
    attachments?: Attachment[];
  }

  interface Vacuity {
    nodeid: string;
    place: string;
    reason: string;
  }

  interface History {
    runs: [string, string | null, boolean][];
    ci: boolean;
    tests: Record<string, [string, string]>;
  }

  interface Gherkin {
    features?: Feature[];
    details?: Record<string, ScopeNote[]>;
    attachments?: Record<string, Attachment[]>;
    attempts?: Record<string, KeptAttempt[]>;
    exit?: Exit;
    left_out?: number;
    channels?: Channels;
    vacuity?: Vacuity[];
    history?: History;
    causation?: string;
  }

  // --- a chunk: columns of numbers, -1 for none ---

  interface PackedTimeline {
    step: number[];
    clock: string | null;
    drift: Record<string, string>;
    action?: number[];
    topic?: number[];
    detail?: number[];
    transport?: number[];
    source?: number[];
    logical_topic?: number[];
  }

  interface PackedPart {
    name: string;
    correlation_id: string | null;
    outcome: 'pass' | 'fail' | 'timeout' | 'slow';
    duration_ms: number;
    completed_normally: boolean;
    handles: Handle[];
    timeline: PackedTimeline;
    timeline_dropped: number;
    replies: Reply[];
    summary_text: string;
    stage?: Stage;
    notes: HandleNote[];
    spans: Span[];
    surprises: Surprise[];
    strays: Stray[];
    broken: TransportFailure[];
    left: LeftOut;
    exact?: string;
    bus?: string | null;
    same: number[];
    heard: number[] | null;
  }

  // --- nodes ---

  type TagOf<Name extends string> = Name extends `${infer Tag}.${string}` ? Tag : Name;
  type ElementOf<Name extends string> = TagOf<Name> extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[TagOf<Name>] : HTMLElement;

  // what may stand in a node: null, undefined and false leave no trace
  type Child = Node | string | number | false | null | undefined | readonly Child[];

  interface Options {
    on?: Record<string, (event: any) => unknown>;
    vars?: Record<string, string | number>;
    [attribute: string]: unknown;
  }

  // --- what the modules make of it ---

  interface Chunk {
    texts: string[];
    entry(place: number): any;
    payload(place: number): any;
    message(place: number): Message | null;
  }

  interface Message extends Omit<StoredMessage, 'payload'> {
    payload?: any;
  }

  interface OpenStray extends Omit<Stray, 'message'> {
    message: Message | null;
  }

  interface OpenNote extends Omit<HandleNote, 'messages'> {
    messages: (Message | null)[];
  }

  interface Notes {
    handles: OpenNote[];
    messages: (Message | null)[];
    same(index: number): number | null;
    spans: Span[];
    surprises: Surprise[];
    strays: OpenStray[];
    broken: TransportFailure[];
    left: LeftOut;
    exact?: string;
    bus?: string | null;
    cut: boolean;
  }

  interface Part extends Scenario {
    notes: Notes;
  }

  interface Detail {
    test: Test;
    scenario: Described | null;
    attachments: Attachment[];
    earlier: (Detail | null)[];
    steps: Step[];
    parts: Part[];
  }

  interface MeasuredHop {
    topic: string;
    transport: string | null;
    outcome: HandleOutcome;
    latency: number | null;
    budget: number | null;
    added?: number | null;
  }

  interface Hop extends MeasuredHop {
    misses: number;
  }

  // the hops of one topic and transport; latencies and what they added are sorted
  interface HopGroup<H extends MeasuredHop = MeasuredHop> {
    key: string;
    topic: string;
    transport: string | null;
    count: number;
    missing: number;
    latencies: number[];
    added: number[];
    tight: H | null;
    budget: number | null;
    over: number;
  }

  interface Shift {
    group: HopGroup;
    before: HopGroup;
    by: number;
    share: number;
  }

  interface Entry {
    id: string;
    nodeid: string;
    group: OpenGroup;
    name: string;
    rule: string | null;
    tags: readonly string[];
    inherited: readonly string[];
    outcome: string;
    recorded: string;
    durationMs: number;
    failing: boolean;
    unchecked: boolean;
    flaky: boolean;
    findings: readonly Finding[];
    transports: readonly string[];
    attempts: readonly Attempt[];
    standing?: number;
    warnings: readonly [number, string][];
    before: { runs: Index['runs']; ci: boolean; sha: string | null };
    past: string;
    room: string;
    numbers: readonly number[];
    names: string[];
    // what the index says of it, where that is all of the test; a store of chunks reads the test instead
    whole: Test;
    order: number;
    detail?: Detail;
    headroom?: number;
    searchText?: string;
    allTags(): string[];
    topics(): Set<string>;
    hops(): Hop[];
  }

  interface OpenGroup extends Omit<Group, 'rows'> {
    entries: Entry[];
  }

  // entries that broke for one reason on one topic
  interface CauseGroup {
    key: string;
    finding: Finding;
    status: string;
    entries: Entry[];
  }

  interface Counts extends Record<string, number> {
    total: number;
    broken: number;
  }

  interface Model {
    run: Run;
    runs: Index['runs'];
    causation: string | null;
    exit: Exit | null;
    leftOut: number | null;
    channels: Channels | null;
    noun: 'scenario' | 'test';
    groups: OpenGroup[];
    entries: Entry[];
    byId: Map<string, Entry>;
    counts: Counts;
    names: string[];
    traffic: Index['traffic'];
    transports: string[];
    latencies: Percentiles;
    kept: { bodies: boolean; timelines: boolean; folder: string | null };
    defaultTransport: string | null;
    buses: Map<string, string>;
  }

  interface ChunkAhead {
    from: number;
    count: number;
    decode(): Promise<Chunk>;
  }

  type Store =
    | { whole: true; chunks: ChunkAhead[]; detail(entry: Entry): Detail }
    | { whole: false; chunks: ChunkAhead[]; detail(entry: Entry): Detail | Promise<Detail> };

  interface View {
    test: string | null;
    status: string[];
    attempt: string | null;
    tab: string | null;
    q: string;
    sort: string | null;
    group: string | null;
    cause: string | null;
    event: string | null;
  }

  interface Views {
    readonly current: View;
    set(patch: Partial<View>, options?: { remember?: boolean }): void;
    open(test: string): void;
  }

  interface Context {
    root: HTMLElement;
    model: Model;
    store: Store;
    views: Views;
    transports: Map<string, { colour: number; letter: string }>;
    redraw?(): void;
    onChart?(chart: Zooming): void;
    onEvent?(reader: EventReader): void;
  }

  type EventReader = (event: string | null, arriving?: boolean) => boolean;

  // whether an entry has what a term of the search, or a mark, asks for
  type Ask = (entry: Entry) => boolean;

  interface Query {
    tests: Ask[];
    words: { word: string; negated: boolean }[];
  }

  interface DeepSearch {
    found: Map<string, Set<number>>;
    wordsLeft(query: string): string[];
    run(words: string[], onProgress: (share: number) => void): Promise<void>;
  }

  // --- lists and tables ---

  // title, sort key, cell where it is more than the key, and whether cells are more than a number
  type Column<Row> = [string, (row: Row) => string | number, ((row: Row) => Child)?, 'text'?];

  interface Section<Row> {
    rows: Row[];
    head?: HTMLElement;
    attributes?: Options;
  }

  interface DrawnSection<Row> extends Section<Row> {
    first: number;
    node: HTMLElement;
    drawn: Map<number, HTMLElement>;
  }

  interface Drawing<Row> {
    rowHeight: number;
    section(section: Section<Row>): HTMLElement;
    row(row: Row, position: number): HTMLElement;
    after?(drawn: Stretch): void;
  }

  interface TreeHead {
    id: string;
    level: number;
    label: string;
    keyword?: string;
    transport?: string | null;
    entries: Entry[];
    open: boolean;
    entry?: undefined;
  }

  interface TreeLeaf {
    id: string;
    level: number;
    entry: Entry;
    entries?: undefined;
  }

  type TreeRow = TreeHead | TreeLeaf;

  type TreeGroup = Pick<TreeHead, 'id' | 'transport' | 'entries'> & { name: string };

  // --- the timeline ---

  interface TimelineRow {
    id: string;
    kind: 'publish' | 'delivery' | 'reply' | 'replyFailed' | 'skipped' | 'deadline' | 'absent' | 'arrival' | 'span' | 'act' | 'stray';
    action: string;
    topic: string | null;
    transport: string | null;
    source: string | null;
    detail: string;
    start: number;
    end: number;
    anchor: number;
    judged: number | null;
    parent: TimelineRow | null;
    children: TimelineRow[];
    event?: TimelineEntry;
    // what a message from outside came of, where `told`, or else came after
    after: TimelineRow | null;
    told: boolean;
    message: Message | null;
    same: number | null;
    late: boolean;
    handle: Handle | null;
    cause: string | null;
    failures: MatchFailure[];
    ref: string | null;
    // its place among all, its depth, and the end of all that came of it: known once all rows are
    order: number;
    level: number;
    last: number;
    wallClock?: string;
    forReply?: boolean;
    // of a stray
    why?: string;
    nearest?: Handle | null;
    // of a span
    service?: string;
    error?: string | null;
  }

  type NewRow = Partial<TimelineRow> & Pick<TimelineRow, 'id' | 'kind' | 'action' | 'topic' | 'detail'>;

  interface Story {
    part: Part;
    partIndex: number;
    rows: TimelineRow[];
    sent: Map<string, { last: TimelineRow; bodies: Map<any, TimelineRow> }>;
    triggers: Map<string, TimelineRow>;
    waiting: Map<string, TimelineRow[]>;
  }

  interface Stretch {
    from: number;
    to: number;
  }

  interface Axis extends Stretch {
    share(ms: number): number;
    ticks: { share: number; label: string }[];
    grid: { first: number; step: number };
  }

  type Clock = (ms: number, step?: number) => string;

  interface TimelineState {
    spans: { from: number; whole: number; messages: number; squeezed: boolean };
    critical: { segments: Map<TimelineRow, [number, number]>; count: number; took: number };
    clock: Clock | null;
    absolute: boolean;
    lanes: boolean;
    closed: Set<string>;
    focused: boolean;
    onMessages: boolean;
    view: Stretch | null;
    active: string | null;
  }

  type TimelineActions = Record<'lanes' | 'focus' | 'stretch' | 'absolute' | 'in' | 'out' | 'reset', () => void>;

  // where and how one row is drawn
  interface RowPlace {
    position: number;
    parentPosition: number | null;
    axis: Axis;
    clock: Clock | null;
    lanes: boolean;
    closed: boolean;
    critical: [number, number] | undefined;
    active: boolean;
    selected: boolean;
  }

  interface Chart {
    section: HTMLElement;
    grid: HTMLElement;
    head: HTMLElement;
    scroller: HTMLElement;
    side: HTMLElement;
    readonly axis: Axis;
    readonly places: Map<string, number>;
    trackBox(): DOMRect;
    reveal(id: string): boolean;
    layOut(): void;
    fit(): void;
    show(view: Stretch | null): void;
  }

  interface Zooming {
    section: HTMLElement;
    axis(): Axis;
    zoom(factor: number, at?: number): void;
    pan(share: number): void;
    reset(): void;
  }

  // rows that the keys of a treegrid move in, known by id
  interface Navigable {
    order(): string[];
    parentOf(id: string): string | undefined;
    focus(id: string | undefined): void;
    open(id: string, on: boolean): void;
    choose(id: string): void;
  }

  // what bears on an expectation that was not met
  interface Evidence {
    id: string;
    phrase: string;
    at: number;
    message: Message;
    differences: MatchFailure[];
  }
}

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
    transport_failures?: TransportFailure[];
    surprises?: Surprise[];
    strays?: Stray[];
    left_out?: LeftOut;
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
    same: number[];
    heard: number[] | null;
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

  interface Hop {
    topic: string;
    transport: string | null;
    outcome: string;
    latency: number | null;
    budget: number | null;
    misses: number;
    added?: number | null;
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
    before: { runs: [string, string | null, boolean][]; ci: boolean; sha: string | null };
    past: string;
    room: string;
    numbers: readonly number[];
    names: string[];
    whole: Test | null;
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
    traffic: [number, number, number, number][];
    transports: string[];
    latencies: Percentiles;
    kept: { bodies: boolean; timelines: boolean; folder: string | null };
    defaultTransport: string | null;
  }

  interface Store {
    whole: boolean;
    detail(entry: Entry): any;
    chunks?: { from: number; count: number; decode(): Promise<Chunk> }[];
  }

  interface Context {
    root: HTMLElement;
    model: Model;
    store: Store;
    views: any;
    transports: Map<string, { colour: number; letter: string }>;
    redraw?(): void;
    onChart?(reader: any): void;
    onEvent?(reader: any): void;
  }

  interface TimelineRow {
    id: string;
    kind: 'publish' | 'delivery' | 'reply' | 'replyFailed' | 'skipped' | 'deadline' | 'absent' | 'arrival' | 'span' | 'stray';
    action: string;
    topic: string | null;
    transport: string | null;
    source: string | null;
    detail: string;
    start: number;
    end: number;
    judged: number | null;
    parent: TimelineRow | null;
    after?: TimelineRow | null;
    told?: boolean;
    children: TimelineRow[];
    event?: TimelineEntry;
    message: Message | null;
    handle: Handle | null;
    cause: string | null;
    failures: MatchFailure[];
    ref: string | null;
    [more: string]: any;
  }
}

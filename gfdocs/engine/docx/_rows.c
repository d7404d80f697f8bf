/* Rows of a table: `fill` sets the values of many rows between the texts that never change. The compiled twin of
 * `fill_in_python` in rows.py, which says what must come out: tests/engine_docx/test_rows.py holds the two equal, for
 * every character of Unicode and for random rows.
 *
 * What a value may do here is little: a text of plain signs is copied as UTF-8, & < > " are escaped, a whole number is
 * written out. Whatever else comes (line breaks, signs that need a font, objects) goes to its writer, in Python.
 *
 * Nothing is written before `reserve` has made room for the most it can take. All arguments are tuples, which cannot
 * change while a writer runs.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* What is written so far: `bytes` is its object, `at` where the next byte goes, `end` where its room ends. */
typedef struct {
    PyObject *bytes;
    char *at;
    char *end;
} Output;

/* Make room for `more` bytes. Return -1 with an exception where there is none. */
static int
reserve(Output *out, Py_ssize_t more)
{
    if (out->end - out->at >= more) {
        return 0;
    }
    char *start = PyBytes_AS_STRING(out->bytes);
    Py_ssize_t used = out->at - start, size = out->end - start;
    if (more > PY_SSIZE_T_MAX / 2 - size) {
        PyErr_NoMemory();
        return -1;
    }
    size = 2 * size + more;
    if (_PyBytes_Resize(&out->bytes, size) < 0) { /* frees the bytes and sets them to NULL where it fails */
        return -1;
    }
    start = PyBytes_AS_STRING(out->bytes);
    out->at = start + used;
    out->end = start + size;
    return 0;
}

static int
put_bytes(Output *out, PyObject *bytes)
{
    Py_ssize_t size = PyBytes_GET_SIZE(bytes);
    if (reserve(out, size) < 0) {
        return -1;
    }
    memcpy(out->at, PyBytes_AS_STRING(bytes), size);
    out->at += size;
    return 0;
}

/* Write & < > " as XML has them; return NULL for any other sign. At most 6 bytes. */
static char *
put_escaped(char *at, Py_UCS4 sign)
{
    const char *name = sign == '&' ? "&amp;" : sign == '<' ? "&lt;" : sign == '>' ? "&gt;" : sign == '"' ? "&quot;" : NULL;
    if (name == NULL) {
        return NULL;
    }
    size_t size = strlen(name);
    memcpy(at, name, size);
    return at + size;
}

/* Which ASCII signs are not copied as they are: control characters, and what put_escaped knows. */
static const char SPECIAL[128] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['"'] = 1, ['&'] = 1, ['<'] = 1, ['>'] = 1,
};

/* Write a sign beyond ASCII as UTF-8; return NULL for one that its writer must look at. At most 4 bytes.
 * U+00B7 and U+2010..U+206F are quotes, dashes, dots that Latin and Chinese share, line separators and signs of
 * direction; halves of a pair, U+FFFE and U+FFFF are no characters of XML.
 */
static inline char *
put_wide(char *at, Py_UCS4 sign)
{
    if (sign < 0x800) {
        if (sign == 0xB7) {
            return NULL;
        }
        *at++ = (char)(0xC0 | sign >> 6);
    }
    else if (sign < 0x10000) {
        if ((sign >= 0x2010 && sign <= 0x206F) || (sign >= 0xD800 && sign <= 0xDFFF) || sign >= 0xFFFE) {
            return NULL;
        }
        *at++ = (char)(0xE0 | sign >> 12);
        *at++ = (char)(0x80 | (sign >> 6 & 0x3F));
    }
    else {
        *at++ = (char)(0xF0 | sign >> 18);
        *at++ = (char)(0x80 | (sign >> 12 & 0x3F));
        *at++ = (char)(0x80 | (sign >> 6 & 0x3F));
    }
    *at++ = (char)(0x80 | (sign & 0x3F));
    return at;
}

/* Write the signs of a text, which Python keeps in one, two or four bytes each; return NULL where a writer must. */
#define DEFINE_PUT_SIGNS(NAME, TYPE)                                        \
    static char *NAME(char *at, const TYPE *sign, Py_ssize_t length)        \
    {                                                                       \
        for (const TYPE *end = sign + length; sign < end; sign++) {         \
            if (*sign >= 0x80) {                                            \
                at = put_wide(at, *sign);                                   \
            }                                                               \
            else if (SPECIAL[*sign]) {                                      \
                at = put_escaped(at, *sign);                                \
            }                                                               \
            else {                                                          \
                *at++ = (char)*sign;                                        \
            }                                                               \
            if (at == NULL) {                                               \
                return NULL;                                                \
            }                                                               \
        }                                                                   \
        return at;                                                          \
    }

DEFINE_PUT_SIGNS(put_signs_of_one, Py_UCS1)
DEFINE_PUT_SIGNS(put_signs_of_two, Py_UCS2)
DEFINE_PUT_SIGNS(put_signs_of_four, Py_UCS4)

/* Write a text. Return 1, or 0 where its writer must (nothing is written then), or -1 with an exception. */
static int
put_text(Output *out, PyObject *text, Py_ssize_t longest)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    if (length >= longest) {
        return 0;
    }
    if (reserve(out, 6 * length) < 0) {
        return -1;
    }
    char *at;
    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
        at = put_signs_of_one(out->at, PyUnicode_1BYTE_DATA(text), length);
        break;
    case PyUnicode_2BYTE_KIND:
        at = put_signs_of_two(out->at, PyUnicode_2BYTE_DATA(text), length);
        break;
    default:
        at = put_signs_of_four(out->at, PyUnicode_4BYTE_DATA(text), length);
    }
    if (at == NULL) {
        return 0;
    }
    out->at = at;
    return 1;
}

/* Write a whole number. Returns as put_text. */
static int
put_number(Output *out, PyObject *number)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow) {
        return 0;
    }
    if (reserve(out, 24) < 0) {
        return -1;
    }
    unsigned long long rest = value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value;
    char digits[24];
    int count = 0;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0) {
        digits[count++] = '-';
    }
    while (count) {
        *out->at++ = digits[--count];
    }
    return 1;
}

/* Write a value of one of the plain kinds as its text. Returns as put_text. */
static int
put_plain(Output *out, PyObject *value, PyObject *plain, Py_ssize_t longest)
{
    int is_plain = PySet_Contains(plain, (PyObject *)Py_TYPE(value));
    if (is_plain <= 0) {
        return is_plain;
    }
    PyObject *text = PyObject_Str(value);
    if (text == NULL) {
        return -1;
    }
    int done = PyUnicode_CheckExact(text) ? put_text(out, text, longest) : 0;
    Py_DECREF(text);
    return done;
}

/* Write what a writer makes of a value. Return -1 with an exception where it fails. */
static int
put_written(Output *out, PyObject *value, PyObject *writer)
{
    PyObject *written = PyObject_CallOneArg(writer, value);
    if (written == NULL) {
        return -1;
    }
    int failed = -1;
    if (PyBytes_CheckExact(written)) {
        failed = put_bytes(out, written);
    }
    else {
        PyErr_SetString(PyExc_TypeError, "a writer gives bytes");
    }
    Py_DECREF(written);
    return failed;
}

/* What `fill` is called with; all are borrowed from its caller. */
typedef struct {
    PyObject *fixed;
    PyObject *writers;
    PyObject *rows;
    PyObject *plain;
    Py_ssize_t longest;
} Task;

static int
put_value(Output *out, PyObject *value, PyObject *writer, const Task *task)
{
    int done;
    if (PyUnicode_CheckExact(value)) {
        done = put_text(out, value, task->longest);
    }
    else if (PyLong_CheckExact(value)) {
        done = put_number(out, value);
    }
    else if (value == Py_None) {
        done = 1;
    }
    else {
        done = put_plain(out, value, task->plain, task->longest);
    }
    return done ? (done < 0 ? -1 : 0) : put_written(out, value, writer);
}

static int
put_row(Output *out, PyObject *row, const Task *task)
{
    Py_ssize_t width = PyTuple_GET_SIZE(task->writers);
    if (!PyTuple_CheckExact(row) || PyTuple_GET_SIZE(row) != width) {
        PyErr_SetString(PyExc_TypeError, "a row is a tuple with a value for each writer");
        return -1;
    }
    for (Py_ssize_t index = 0; index < width; index++) {
        if (put_bytes(out, PyTuple_GET_ITEM(task->fixed, index)) < 0
            || put_value(out, PyTuple_GET_ITEM(row, index), PyTuple_GET_ITEM(task->writers, index), task) < 0) {
            return -1;
        }
    }
    return put_bytes(out, PyTuple_GET_ITEM(task->fixed, width));
}

/* Return the bytes of `fixed` together, or -1 with an exception where it is not one more than there are writers. */
static Py_ssize_t
measure_fixed(const Task *task)
{
    Py_ssize_t total = 0, count = PyTuple_GET_SIZE(task->fixed);
    if (count != PyTuple_GET_SIZE(task->writers) + 1) {
        PyErr_SetString(PyExc_TypeError, "one text stands before each value, and one after the last");
        return -1;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        PyObject *text = PyTuple_GET_ITEM(task->fixed, index);
        if (!PyBytes_CheckExact(text)) {
            PyErr_SetString(PyExc_TypeError, "the texts that never change are bytes");
            return -1;
        }
        total += PyBytes_GET_SIZE(text);
    }
    return total;
}

/* How many bytes a value is thought to take, so that most tables are written without growing. */
#define USUAL 24

PyDoc_STRVAR(fill_doc, "fill(fixed, writers, rows, plain, longest) -> bytes\n\nSee `fill_in_python` in rows.py.");

static PyObject *
fill(PyObject *module, PyObject *args)
{
    Task task;
    if (!PyArg_ParseTuple(args, "O!O!O!O!n:fill", &PyTuple_Type, &task.fixed, &PyTuple_Type, &task.writers,
                          &PyTuple_Type, &task.rows, &PyFrozenSet_Type, &task.plain, &task.longest)) {
        return NULL;
    }
    Py_ssize_t each = measure_fixed(&task), count = PyTuple_GET_SIZE(task.rows);
    if (each < 0) {
        return NULL;
    }
    each += USUAL * PyTuple_GET_SIZE(task.writers) + 1;
    if (task.longest > PY_SSIZE_T_MAX / 8 || count > PY_SSIZE_T_MAX / 2 / each) {
        return PyErr_NoMemory();
    }
    Output out = {.bytes = PyBytes_FromStringAndSize(NULL, each * count)};
    if (out.bytes == NULL) {
        return NULL;
    }
    out.at = PyBytes_AS_STRING(out.bytes);
    out.end = out.at + each * count;
    for (Py_ssize_t index = 0; index < count; index++) {
        if (put_row(&out, PyTuple_GET_ITEM(task.rows, index), &task) < 0) {
            Py_XDECREF(out.bytes);
            return NULL;
        }
    }
    _PyBytes_Resize(&out.bytes, out.at - PyBytes_AS_STRING(out.bytes));
    return out.bytes;
}

static PyMethodDef methods[] = {
    {"fill", fill, METH_VARARGS, fill_doc},
    {NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_rows",
    .m_doc = "Rows of a table, compiled. See rows.py.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__rows(void)
{
    return PyModuleDef_Init(&definition);
}

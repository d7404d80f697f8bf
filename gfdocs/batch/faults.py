"""The issues of this room, GF5xx; docs/errors/GF5xx.md says what each means."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

from gfdocs.errors import Issue, OutputError, Place, Text, describe_os_fault

if TYPE_CHECKING:
    from gfdocs.batch.jobs import Job

_REASONS = {
    errno.ENOSPC: Text("the disk is full", "磁盘空间已满"),
    errno.EDQUOT: Text("the disk quota is used up", "磁盘配额已用完"),
    errno.EFBIG: Text("a file is larger than allowed here", "文件超过允许的大小"),
    errno.EROFS: Text("the disk is read-only", "磁盘为只读"),
    errno.EACCES: Text("no permission", "没有权限"),
    errno.EPERM: Text("no permission", "没有权限"),
    errno.EINVAL: Text("the name is not one of a path", "路径无效"),
    errno.ENAMETOOLONG: Text("the path is too long for this disk", "路径过长"),
    errno.EIO: Text("the disk reports a fault", "磁盘读写出错"),
}


def unwritable(path: str, error: OSError) -> OutputError:
    """GF501: a file or folder cannot be written; what was there before is untouched."""
    hint = Text(
        "what was there before is untouched; put it right and run again", "原有文件没有改动；排除问题后重新运行即可"
    )
    return _refused(path, error, Text("written", "写入"), hint)


def half_moved(path: str, error: OSError) -> OutputError:
    """GF501 as well: the disk refused while packages were moved into place; each is the old or the new one."""
    hint = Text(
        "each package is the old or the new one, whole; put it right and run again: it goes on from there",
        "各材料包或为原有、或为新制，均完整；排除问题后重新运行，从中断处继续",
    )
    return _refused(path, error, Text("written", "写入"), hint)


def unreadable(path: str, error: OSError) -> OutputError:
    """GF501 as well: the output folder cannot be looked into."""
    return _refused(path, error, Text("read", "读取"), Text("put it right and run again", "排除问题后重新运行"))


def _refused(path: str, error: OSError, what: Text, hint: Text) -> OutputError:
    reason = _REASONS.get(error.errno or 0) or describe_os_fault(error)
    fact = Text(f"cannot be {what}: {reason}", f"无法{what.zh}：{reason.zh}")
    return OutputError(Issue("GF501", "error", Place(file=str(path)), fact, hint))


def locked(path: str, holder: str) -> OutputError:
    """GF502: another run is writing into the folder."""
    by = f" (process {holder})" if holder else ""
    by_zh = f"（进程 {holder}）" if holder else ""
    fact = Text(f"another run is writing here{by}", f"另一个任务正在写入此文件夹{by_zh}")
    hint = Text("wait until it has finished, or choose another folder", "请等待其完成，或换一个输出文件夹")
    return OutputError(Issue("GF502", "error", Place(file=path), fact, hint))


def edited(path: str) -> Issue:
    """GF503: a file that was made by a batch was changed by somebody since."""
    fact = Text("somebody changed this file after it was made", "此文件生成后被人改动过")
    hint = Text(
        "move your copy elsewhere, or say that it may be replaced (--force)",
        "请先另存您的版本，或明确允许覆盖（--force）",
    )
    return Issue("GF503", "error", Place(file=path), fact, hint)


def foreign(path: str) -> Issue:
    """GF504: something not made by a batch stands where a package is to go."""
    fact = Text(
        "this was not made by gfdocs, and something of the batch is to go here", "此处已有并非 gfdocs 生成的内容"
    )
    hint = Text(
        "choose an empty folder, or say that it may be replaced (--force)", "请选择空文件夹，或明确允许覆盖（--force）"
    )
    return Issue("GF504", "error", Place(file=path), fact, hint)


def not_a_folder(path: str) -> OutputError:
    """GF505: the output is there and is not a folder."""
    fact = Text("expected a folder, found a file", "应为文件夹，实为文件")
    return OutputError(Issue("GF505", "error", Place(file=path), fact, Text("choose another name", "请换一个名称")))


def no_encoding(text: str, encoding: str) -> OutputError:
    """GF507: the system's encoding of file names has no such characters."""
    fact = Text(
        f'file names here are {encoding}, which cannot write "{text}"', f"系统文件名编码为 {encoding}，无法写入“{text}”"
    )
    hint = Text("use a UTF-8 locale, or set PYTHONUTF8=1", "请使用 UTF-8 区域设置，或设置 PYTHONUTF8=1")
    return OutputError(Issue("GF507", "error", Place(), fact, hint))


def renamed(path: str, others: int) -> Issue:
    """GF510: several documents wanted the same file name, and each got an ending of its own."""
    fact = Text(
        f"{others} documents wanted the same name here; each got an ending of its own",
        f"有 {others} 个文件重名，均已加注区分",
    )
    hint = Text(
        "add {{ company.credit_code }} to the file pattern to choose the ending",
        "可在文件名格式中加入 {{ company.credit_code }}",
    )
    return Issue("GF510", "warning", Place(file=path), fact, hint)


def too_long(path: str, length: int) -> Issue:
    """GF511: a path is longer than Windows programs take."""
    fact = Text(
        f"the path has {length} characters; many Windows programs take 259",
        f"路径长 {length} 个字符，Windows 程序多限 259 个",
    )
    return Issue(
        "GF511", "warning", Place(file=path), fact, Text("choose a shorter output folder", "请选用较短的输出路径")
    )


def not_made(job: Job, issue: Issue) -> Issue:
    """GF512: one document could not be made; the original issue is quoted, its place is in `also`."""
    whom, whom_zh = (f" for {job.whom}", f"（{job.whom}）") if job.whom else ("", "")
    zh = issue.fact.zh if isinstance(issue.fact, Text) else issue.fact
    fact = Text(f"not made{whom}: {issue.code} {issue.fact}", f"未生成{whom_zh}：{issue.code} {zh}")
    also = tuple(place for place in (issue.place, *issue.also) if str(place))
    return Issue("GF512", "error", Place(file=job.path), fact, issue.hint, also)


def broke(job: Job, error: BaseException) -> Issue:
    """GF513: making a document failed in a way that it should not; a fault of gfdocs, not of the data."""
    said = f"{type(error).__name__}: {error}"[:300]
    fact = Text(f"a fault inside gfdocs: {said}", f"程序内部错误：{said}")
    hint = Text("please report it with the template and a sample of the data", "请附上模板和数据样例反馈")
    return Issue("GF513", "error", Place(file=job.path), fact, hint)


def worker_lost(job: Job) -> Issue:
    """GF514: the process that made a document died, more than once."""
    fact = Text("the process that made this document died repeatedly", "生成此文件的进程多次异常退出")
    hint = Text("it may need more memory than there is; try fewer workers", "可能内存不足，请减少并行数后重试")
    return Issue("GF514", "error", Place(file=job.path), fact, hint)


def no_extra(extra: str, package: str) -> OutputError:
    """GF520: a part of gfdocs that is installed apart is missing."""
    fact = Text(f"{package} is not installed", f"未安装 {package}")
    hint = Text(f"pip install 'gfdocs[{extra}]'", f"请运行 pip install 'gfdocs[{extra}]'")
    return OutputError(Issue("GF520", "error", Place(), fact, hint))


def bad_executor(text: str) -> OutputError:
    """GF521: the executor is not one we know."""
    fact = Text(
        f'expected an executor or "dask://host:port", found "{text}"', f"应为执行器或 dask://主机:端口，实为“{text}”"
    )
    hint = Text("for example dask://127.0.0.1:8786, with gfdocs[dask]", "如 dask://127.0.0.1:8786，并安装 gfdocs[dask]")
    return OutputError(Issue("GF521", "error", Place(), fact, hint))


def no_cluster(address: str, error: BaseException) -> OutputError:
    """GF522: the cluster does not answer."""
    fact = Text(f"no answer from {address}: {error}", f"{address} 没有响应：{error}")
    hint = Text("is the scheduler running, and the port right?", "请确认调度器已启动、端口正确")
    return OutputError(Issue("GF522", "error", Place(), fact, hint))


def executor_gone(error: BaseException) -> OutputError:
    """GF523: the executor takes no more work."""
    fact = Text(f"the executor takes no more work: {error}", f"执行器已不可用：{error}")
    hint = Text("run again: what is finished is kept", "重新运行即可，已完成的部分会保留")
    return OutputError(Issue("GF523", "error", Place(), fact, hint))


def no_store(place: str, error: BaseException) -> OutputError:
    """GF524: an object store refuses or does not answer."""
    said = f"{type(error).__name__}: {error}"[:300]
    fact = Text(f"the store refuses: {said}", f"存储服务拒绝：{said}")
    hint = Text("check address, rights and network, then run again", "请检查地址、权限和网络后重新运行")
    return OutputError(Issue("GF524", "error", Place(file=place), fact, hint))


def leased(url: str, holder: str, path: str, left: int | None) -> OutputError:
    """GF525: another run has the lease of the prefix; `left` is after how many seconds it may be taken over."""
    by, by_zh = (f" ({holder})", f"（{holder}）") if holder else ("", "")
    fact = Text(f"another run is writing here{by}", f"另一个任务正在写入此处{by_zh}")
    again = Text("", "") if left is None else Text(f"run again in {left} s, or ", f"于 {left} 秒后重新运行，或")
    hint = Text(
        f"wait until it has finished; if you know that it died, {again}remove {path}",
        f"请等待其完成；如确知其已中断，请{again.zh}删除 {path}",
    )
    return OutputError(Issue("GF525", "error", Place(file=url), fact, hint))


def overtaken(url: str) -> OutputError:
    """GF526: this run gave no sign of life for so long that another took its lease over."""
    fact = Text(
        "the lease of this run is gone: another took over, or somebody removed it",
        "本任务的写入租约已失效：已被另一个任务接管，或被人删除",
    )
    hint = Text(
        "this run has not touched the manifest; run again when the other has finished",
        "本任务未改动清单；请待另一任务完成后重新运行",
    )
    return OutputError(Issue("GF526", "error", Place(file=url), fact, hint))


def mixed(path: str, *, zipped: bool) -> OutputError:
    """GF506: part of a batch was asked for, but the folder holds the other form of packages."""
    fact = Text(
        f"the folder holds {'zips' if zipped else 'folders'}; a part of the batch cannot be added in the other form",
        f"该文件夹中的文件包为{'压缩包' if zipped else '文件夹'}形式，不能以另一种形式补充部分文件",
    )
    hint = Text("run the whole batch, or choose the same form", "请整批重新生成，或选择相同形式")
    return OutputError(Issue("GF506", "error", Place(file=path), fact, hint))


def no_manifest(path: str, reason: Text) -> OutputError:
    """GF530: the folder has no manifest that can be read."""
    fact = Text(f"no manifest that can be read: {reason}", f"没有可读的清单文件：{reason.zh}")
    hint = Text(
        "run the batch to make it, with --force where there is one",
        "请运行 batch 生成；已有清单的，加 --force 重新生成",
    )
    return OutputError(Issue("GF530", "error", Place(file=path), fact, hint))


def missing(path: str) -> Issue:
    """GF531: a file of the manifest is not there."""
    return Issue("GF531", "error", Place(file=path), Text("the file is missing", "文件缺失"), _AGAIN)


def changed(path: str, also: Text) -> Issue:
    """GF532: a file is not what the manifest says."""
    return Issue(
        "GF532", "error", Place(file=path), Text(f"the file was changed: {also}", f"文件被改动：{also.zh}"), _AGAIN
    )


def unknown(path: str) -> Issue:
    """GF533: a file that the manifest does not know."""
    fact = Text("the file is not in the manifest", "文件不在清单中")
    return Issue("GF533", "warning", Place(file=path), fact, Text("it was put here by hand", "可能是手工放入的文件"))


def unfinished(path: str) -> Issue:
    """GF534: a run was interrupted here, or is still going on."""
    fact = Text("a run was interrupted here, or is still going on", "上次任务被中断，或仍在进行")
    return Issue("GF534", "error", Place(file=path), fact, Text("run the batch again", "请重新运行 batch"))


def at_output(issue: Issue, out: str) -> Issue:
    """Return the issue with its place below the output folder."""
    return replace(issue, place=replace(issue.place, file=f"{out}/{issue.place.file}"))


_AGAIN = Text("run the batch again to make it anew", "请重新运行 batch 重新生成")
